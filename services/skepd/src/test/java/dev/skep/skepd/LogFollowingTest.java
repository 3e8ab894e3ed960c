package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.state.Rows;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.testkit.kafka.KafkaServer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A scheduler alone lives from a Kafka topic that a relay fills, and from the store where the topic does not come along;
 * whatever happens to the topic, replay says that it equals the store.
 */
@Tag("engine")
@Tag("slow")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class LogFollowingTest {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static KafkaServer kafka;

  @TempDir Path folder;
  private String topic;
  private LogPair pair;

  @BeforeAll
  static void startKafka() {
    kafka = KafkaServer.start();
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  @BeforeEach
  void start() throws Exception {
    topic = "following-" + COUNT.incrementAndGet();
    pair = new LogPair(folder, kafka.uri(topic));
  }

  @AfterEach
  void end() throws Exception {
    if (pair != null) {
      pair.close();
    }
  }

  @Test
  void whatTheLogBringsIsEnough() throws Exception {
    pair.startRelay();
    pair.startScheduler();
    pair.placedByTheLogAlone();
    pair.withoutWatch();
    for (int i = 0; i < 5; i++) {
      pair.placed();
    }
    assertThat(pair.replayed()).contains("holes   none", "the same at revision");
  }

  @Test
  void theStoreStepsInWhileTheLogIsAwayOrStandsStill() throws Exception {
    pair.startRelay();
    pair.startScheduler();
    pair.placedByTheLogAlone();

    double before = pair.seconds("store");
    kafka.kill();
    pair.placed();
    assertThat(pair.seconds("store")).isGreaterThan(before);
    kafka.restart();
    pair.placedByTheLogAlone();

    before = pair.seconds("store");
    pair.freezeRelay();
    pair.placed();
    assertThat(pair.seconds("store")).isGreaterThan(before);
    pair.thawRelay();
    pair.placedByTheLogAlone();
    assertThat(pair.replayed()).contains("holes   none", "the same at revision");
  }

  /** It fits the view's revision to the last digit. */
  @Test
  void whatATopicSaysOfAnotherClusterIsNotBelieved() throws Exception {
    String ghost = "ghost";
    try (LogWriter other = Backends.writer(kafka.uri(topic), Access.PLAIN)) {
      other.claim("other");
      long at = pair.revision();
      other.append(List.of(new LogEntry.Reset("other", at, 0, LogEntry.Reason.FIRST), new LogEntry.Snapshot("other", at, 0, true, List.of())));
      pair.startScheduler();
      pair.placed();
      for (long revision = at; revision < pair.revision(); revision++) {
        byte[] row = TaskIntentRow.newBuilder().setId(ghost).build().toByteArray();
        other.append(List.of(new LogEntry.Changes("other", revision + 1, revision,
            List.of(new Store.Change(Rows.INTENT.key(ghost).path(), row, revision + 1, revision + 1)))));
      }
    }
    pair.placed();
    pair.startRelay();
    pair.placedByTheLogAlone();
    assertThat(pair.view().state().has(Rows.INTENT.key(ghost))).isFalse();
    assertThat(pair.replayed()).contains("epoch other ends at revision", "holes   none", "the same at revision");
  }

  @Test
  void aTopicThatIsDeletedIsMadeAnewAndFollowed() throws Exception {
    pair.startRelay();
    pair.startScheduler();
    pair.placedByTheLogAlone();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.address()))) {
      admin.deleteTopics(List.of(topic)).all().get(60, TimeUnit.SECONDS);
    }
    pair.placedByTheLogAlone();
    assertThat(pair.replayed()).contains("holes   none", "the same at revision");
  }
}
