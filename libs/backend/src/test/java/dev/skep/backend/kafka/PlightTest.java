package dev.skep.backend.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Access;
import dev.skep.backend.StoreException;
import java.util.Optional;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;

/** What is said of failures, and which of them trying again may end. */
class PlightTest {
  private static final KafkaConfig CONFIG =
      KafkaConfig.of("kafka://k1", new Access(Optional.of(new Access.Credentials("me", "secret")), Optional.empty()));

  @Test
  void aSilentBrokerIsTriedAgainAndMayWantTls() {
    StoreException said = Plight.of("cannot read", CONFIG, new KafkaException(new TimeoutException("Timed out")));
    assertThat(said.denied()).isFalse();
    assertThat(said).hasMessageContaining("topic skep.changes at k1:9092").hasMessageContaining("log.ca");
  }

  @Test
  void aRefusalNamesTheUserAndNeverItsPassword() {
    for (RuntimeException refusal : new RuntimeException[] {new SaslAuthenticationException("no"), new TopicAuthorizationException("no")}) {
      StoreException said = Plight.of("cannot read", CONFIG, new KafkaException("failed", refusal));
      assertThat(said.denied()).isTrue();
      assertThat(said).hasMessageContaining("user me").hasMessageContaining("skep admin grant").hasMessageNotContaining("secret");
    }
  }
}
