package dev.skep.backend.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Access;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a topic must be, and what is said of one that is not. */
class TopicNeedsTest {
  private static TopicNeeds needs(int partitions, int copies, Map<String, String> topic, Map<String, String> broker) {
    Map<String, String> whole = new HashMap<>(Clients.topicSettings(copies));
    whole.putAll(topic);
    return new TopicNeeds(KafkaConfig.of("kafka://k1,k2", Access.PLAIN), partitions, copies, name -> Optional.ofNullable(whole.get(name)),
        name -> Optional.ofNullable(broker.get(name)));
  }

  @Test
  void whatWeMakeIsRight() {
    for (int copies : List.of(1, 2, 3)) {
      assertThat(needs(1, copies, Map.of(), Map.of("transaction.max.timeout.ms", "900000")).wrong()).isEmpty();
      assertThat(needs(1, copies, Map.of(), Map.of()).poor()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
      "cleanup.policy, compact, cleanup.policy=delete",
      "cleanup.policy, 'compact,delete', cleanup.policy=delete",
      "retention.ms, 3600000, retention.ms=604800000",
      "max.message.bytes, 500000, max.message.bytes=1048576",
      "min.insync.replicas, 4, min.insync.replicas=2",
  })
  void whatWouldBreakTheLogIsRefusedWithTheCommandThatMendsIt(String setting, String value, String mended) {
    List<String> wrong = needs(1, 3, Map.of(setting, value), Map.of()).wrong();
    assertThat(wrong).hasSize(1);
    assertThat(wrong.getFirst()).contains(setting + " is " + value).contains("kafka-configs --bootstrap-server k1:9092").contains(mended);
  }

  @Test
  void theBrokersMustLetATransactionBegin() {
    assertThat(needs(1, 1, Map.of(), Map.of("transaction.max.timeout.ms", "5000")).wrong()).singleElement().asString().contains("transaction.max.timeout.ms");
    assertThat(needs(1, 1, Map.of(), Map.of("transaction.state.log.min.isr", "2", "transaction.state.log.replication.factor", "1")).wrong())
        .singleElement().asString().contains("no transaction can begin");
    assertThat(needs(3, 1, Map.of(), Map.of()).wrong()).singleElement().asString().contains("3 partitions");
    assertThat(needs(1, 1, Map.of("retention.ms", "-1"), Map.of()).wrong()).as("for ever").isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"min.insync.replicas, 3, stops with the first broker", "min.insync.replicas, 1, may be lost", "unclean.leader.election.enable, true, may be lost",
      "retention.bytes, 1000, push out"})
  void whatIsRiskyIsSaid(String setting, String value, String said) {
    TopicNeeds needs = needs(1, 3, Map.of(setting, value), Map.of());
    assertThat(needs.wrong()).isEmpty();
    assertThat(needs.poor()).singleElement().asString().contains(said);
  }
}
