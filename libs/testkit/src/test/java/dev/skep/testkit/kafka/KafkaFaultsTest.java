package dev.skep.testkit.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.StoreException;
import dev.skep.backend.kafka.KafkaChangeLog;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The broker is stopped, killed and frozen under a writer and a reader: what was appended is read once, in order. */
@Tag("slow")
class KafkaFaultsTest {
  private static final String EPOCH = "e";

  private KafkaServer server;
  private LogTopic topic;
  private KafkaChangeLog log;
  private final BlockingQueue<ChangeLog.Record> records = new LinkedBlockingQueue<>();
  private long revision;

  @BeforeEach
  void start() {
    server = KafkaServer.start();
    topic = new LogTopic(server);
    log = topic.open(() -> EPOCH);
  }

  @AfterEach
  void stop() {
    log.close();
    server.close();
  }

  private void append() {
    log.append(LogTopic.record(EPOCH, revision + 1, revision, LogTopic.change("k", "v" + revision, revision + 1)));
    revision++;
  }

  /** As the relay does: until it is certain. */
  private int appendAtLast() {
    for (int failures = 0; ; failures++) {
      try {
        append();
        return failures;
      } catch (StoreException e) {
        assertThat(failures).as("tries, the last of which failed with: " + e.getMessage()).isLessThan(60);
      }
    }
  }

  private void readAll(int first) throws InterruptedException {
    for (long expected = first; expected <= revision; expected++) {
      ChangeLog.Record record = LogTopic.next(records);
      assertThat(record.revision()).isEqualTo(expected);
      assertThat(record.previous()).isEqualTo(expected - 1);
    }
    assertThat(records).isEmpty();
  }

  @Test
  void aReaderThatIsThereBeforeTheTopicGetsItsFirstRecord() throws Exception {
    try (ChangeLog.Subscription reading = log.read(0, records::add)) {
      assertThat(reading).isNotNull();
      assertThat(log.end()).isZero();
      append();
      append();
      readAll(1);
    }
  }

  @Test
  void aBrokerThatStopsAndComesBackLosesNothing() throws Exception {
    append();
    try (ChangeLog.Subscription reading = log.read(0, records::add)) {
      assertThat(reading).isNotNull();
      readAll(1);
      server.stop();
      assertThatThrownBy(this::append).isInstanceOf(StoreException.class);
      server.restart();
      appendAtLast();
      appendAtLast();
      readAll(2);
      assertThat(log.end()).isEqualTo(revision);
    }
  }

  @Test
  void aBrokerThatIsKilledLosesNothing() throws Exception {
    append();
    try (ChangeLog.Subscription reading = log.read(0, records::add)) {
      assertThat(reading).isNotNull();
      for (int i = 0; i < 50; i++) {
        append();
      }
      server.kill();
      server.restart();
      appendAtLast();
      appendAtLast();
      readAll(1);
    }
    assertThat(topic.revisions()).doesNotHaveDuplicates();
  }

  @Test
  void aFrozenBrokerFailsAppendsAndWakesWithoutADuplicate() throws Exception {
    append();
    try (ChangeLog.Subscription reading = log.read(0, records::add)) {
      assertThat(reading).isNotNull();
      server.freeze();
      assertThatThrownBy(this::append).isInstanceOf(StoreException.class).hasMessageContaining("cannot append to the event log");
      server.thaw();
      appendAtLast();
      appendAtLast();
      readAll(1);
    }
    assertThat(topic.revisions()).doesNotHaveDuplicates();
  }

  @Test
  void aBrokerThatIsAwayFromTheStartIsWaitedFor() throws Exception {
    append();
    try (ChangeLog.Subscription _ = log.read(0, records::add)) {
      LogTopic.next(records); // else the broker may end between the commit and its marker, and hide the record until the next one
    }
    server.stop();
    KafkaChangeLog late = topic.open(() -> EPOCH);
    try (ChangeLog.Subscription reading = late.read(0, records::add)) {
      assertThat(reading).isNotNull();
      assertThatThrownBy(late::end).isInstanceOf(StoreException.class);
      server.restart();
      readAll(1);
    } finally {
      late.close();
    }
  }
}
