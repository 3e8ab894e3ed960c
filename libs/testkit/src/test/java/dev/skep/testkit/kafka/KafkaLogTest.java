package dev.skep.testkit.kafka;

import static dev.skep.testkit.kafka.LogTopic.change;
import static dev.skep.testkit.kafka.LogTopic.record;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.kafka.KafkaChangeLog;
import dev.skep.backend.kafka.KafkaHistory;
import dev.skep.backend.kafka.KafkaLogWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the log on Kafka promises beside the contract: one writer, whole batches, records of any size, epochs, replay. */
@Tag("slow")
class KafkaLogTest {
  private static KafkaServer server;

  private final BlockingQueue<ChangeLog.Record> records = new LinkedBlockingQueue<>();
  private LogTopic topic;

  @BeforeAll
  static void startServer() {
    server = KafkaServer.start();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @BeforeEach
  void freshTopic() {
    topic = new LogTopic(server);
  }

  private static LogEntry.Changes changes(String epoch, long revision) {
    return new LogEntry.Changes(epoch, revision, revision - 1, List.of(change("k" + revision, "v", revision)));
  }

  private static List<LogEntry> base(String epoch, long revision, long previous, LogEntry.Reason reason) {
    return List.of(new LogEntry.Reset(epoch, revision, previous, reason),
        new LogEntry.Snapshot(epoch, revision, 0, false, List.of(change("a", "1", revision))),
        new LogEntry.Snapshot(epoch, revision, 1, true, List.of(change("b", "1", revision))));
  }

  @Test
  void aSecondWriterFencesTheFirst() {
    try (KafkaLogWriter first = new KafkaLogWriter(topic.config); KafkaLogWriter second = new KafkaLogWriter(topic.config)) {
      assertThat(first.claim("e")).isEqualTo(LogWriter.End.EMPTY);
      first.append(List.of(changes("e", 1)));
      assertThat(second.claim("e").revision()).isEqualTo(1);
      assertThatThrownBy(() -> first.append(List.of(changes("e", 2)))).isInstanceOf(LogWriter.FencedException.class)
          .hasMessageContaining("another relay has claimed");
      assertThatThrownBy(() -> first.append(List.of(changes("e", 2)))).isInstanceOf(StoreException.class).hasMessageContaining("not claimed");
      second.append(List.of(changes("e", 2)));
      assertThat(topic.revisions()).containsExactly(1L, 2L);
    }
  }

  @Test
  void aBatchThatFailsInTheMiddleIsNotThere() {
    try (KafkaLogWriter writer = new KafkaLogWriter(topic.config)) {
      writer.claim("old");
      writer.append(base("old", 5, 0, LogEntry.Reason.FIRST));
      writer.append(base("new", 2, 0, LogEntry.Reason.NEW_EPOCH));
      // the third entry is refused when the first two are sent already
      assertThatThrownBy(() -> writer.append(List.of(changes("new", 3), changes("new", 4), changes("old", 6)))).isInstanceOf(StoreException.class)
          .hasMessageContaining("another cluster writes there now");
      LogWriter.End end = writer.claim("new");
      assertThat(end.revision()).isEqualTo(2);
      assertThat(end.epoch()).isEqualTo("new");
      writer.append(List.of(changes("new", 3), changes("new", 4)));
      assertThat(topic.revisions()).containsExactly(5L, 5L, 5L, 2L, 2L, 2L, 3L, 4L);
      assertThatThrownBy(() -> writer.append(base("old", 7, 0, LogEntry.Reason.NEW_EPOCH))).hasMessageContaining("came after old");
    }
    try (KafkaLogWriter current = new KafkaLogWriter(topic.config); KafkaLogWriter stale = new KafkaLogWriter(topic.config)) {
      current.claim("new");
      assertThatThrownBy(() -> stale.claim("old")).hasMessageContaining("another cluster writes there now");
      current.append(List.of(changes("new", 5))); // it was not fenced by that
    }
  }

  @Test
  void theLargestTransactionOfAStoreFits() throws Exception {
    Store.Change[] many = new Store.Change[128];
    for (int i = 0; i < many.length; i++) {
      byte[] value = new byte[i == 0 ? 1 << 20 : 256 << 10];
      new SplittableRandom(i).nextBytes(value);
      many[i] = new Store.Change("k" + i, value, 1, 1);
    }
    try (KafkaChangeLog log = topic.open(() -> "e")) {
      log.append(record("e", 1, 0, many));
      log.append(record("e", 2, 1, change("after", "x", 2)));
      try (ChangeLog.Subscription reading = log.read(0, records::add)) {
        assertThat(reading).isNotNull();
        ChangeLog.Record large = LogTopic.next(records);
        assertThat(large.changes()).hasSize(many.length);
        for (int i = 0; i < many.length; i++) {
          assertThat(Arrays.equals(large.changes().get(i).value(), many[i].value())).isTrue();
        }
        assertThat(LogTopic.next(records).revision()).isEqualTo(2);
      }
      try (ChangeLog.Subscription behind = log.read(1, records::add)) {
        assertThat(behind).isNotNull();
        assertThat(LogTopic.next(records).revision()).isEqualTo(2);
      }
    }
  }

  @Test
  void theRestOfARecordWhoseBeginIsGoneIsPassedOver() throws Exception {
    byte[] value = new byte[3 << 20];
    try (KafkaChangeLog log = topic.open(() -> "e")) {
      log.append(record("e", 1, 0, new Store.Change("k", value, 1, 1)));
      log.append(record("e", 2, 1, change("after", "x", 2)));
      topic.deleteFirst();
      try (ChangeLog.Subscription reading = log.read(0, records::add)) {
        assertThat(reading).isNotNull();
        assertThat(LogTopic.next(records).revision()).isEqualTo(2);
      }
    }
  }

  @Test
  void everyRevisionIsFoundAmongTransactionsOfAllSizesAndAbortedOnes() throws Exception {
    long seed = 20261121;
    SplittableRandom random = new SplittableRandom(seed);
    long revision = 0;
    try (KafkaLogWriter writer = new KafkaLogWriter(topic.config)) {
      writer.claim("e");
      writer.append(base("before", 900, 0, LogEntry.Reason.FIRST));
      writer.append(base("e", 1, 0, LogEntry.Reason.NEW_EPOCH));
      revision = 1;
      for (int round = 0; round < 60; round++) {
        List<LogEntry> batch = new ArrayList<>();
        for (int i = 1 + random.nextInt(30); i > 0; i--) {
          batch.add(changes("e", ++revision));
        }
        if (random.nextInt(4) == 0) {
          List<LogEntry> broken = new ArrayList<>(batch);
          broken.add(changes("before", 901));
          assertThatThrownBy(() -> writer.append(broken)).isInstanceOf(StoreException.class);
          writer.claim("e");
        }
        writer.append(batch);
      }
    }
    try (KafkaChangeLog log = topic.open(() -> "e")) {
      for (int i = 0; i < 40; i++) {
        long after = i == 0 ? 1 : i == 1 ? revision - 1 : random.nextLong(1, revision);
        BlockingQueue<ChangeLog.Record> found = new LinkedBlockingQueue<>();
        try (ChangeLog.Subscription reading = log.read(after, found::add)) {
          assertThat(reading).isNotNull();
          assertThat(LogTopic.next(found).revision()).as("after %d, seed %d", after, seed).isEqualTo(after + 1);
        }
      }
      assertThat(log.end()).isEqualTo(revision);
    }
  }

  @Test
  void afterARestoreOnlyTheNewEpochIsRead() throws Exception {
    AtomicReference<String> epoch = new AtomicReference<>("old");
    try (KafkaLogWriter writer = new KafkaLogWriter(topic.config); KafkaChangeLog log = topic.open(epoch::get)) {
      writer.claim("e");
      writer.append(base("old", 100, 0, LogEntry.Reason.FIRST));
      writer.append(List.of(changes("old", 101)));
      try (ChangeLog.Subscription reading = log.read(100, records::add)) {
        assertThat(reading).isNotNull();
        assertThat(LogTopic.next(records).revision()).isEqualTo(101);
        epoch.set("new"); // the store was restored; the relay has not come to it yet
        assertThat(log.end()).isZero();
        writer.append(base("new", 7, 0, LogEntry.Reason.NEW_EPOCH));
        writer.append(List.of(changes("new", 8)));
        ChangeLog.Record record = LogTopic.next(records);
        assertThat(record.epoch()).isEqualTo("new");
        assertThat(record.revision()).isEqualTo(8); // lower than what it had read, and yet the next
      }
      try (ChangeLog.Subscription fresh = log.read(0, records::add)) {
        assertThat(fresh).isNotNull();
        assertThat(LogTopic.next(records).revision()).isEqualTo(8);
      }
      assertThat(log.end()).isEqualTo(8);
    }
  }

  /** Whoever follows it has to know that nothing more will come of what is before. */
  @Test
  void aReaderHearsHowFarTheLogIsWhereNoRecordSaysIt() throws Exception {
    BlockingQueue<Long> marks = new LinkedBlockingQueue<>();
    ChangeLog.Reader reader = new ChangeLog.Reader() {
      @Override
      public void record(ChangeLog.Record record) {
        records.add(record);
      }

      @Override
      public void at(String epoch, long revision) {
        assertThat(epoch).isEqualTo("e");
        marks.add(revision);
      }
    };
    try (KafkaLogWriter writer = new KafkaLogWriter(topic.config); KafkaChangeLog log = topic.open(() -> "e")) {
      writer.claim("e");
      writer.append(base("old", 9, 0, LogEntry.Reason.FIRST));
      try (ChangeLog.Subscription early = log.read(3, reader)) {
        assertThat(early).isNotNull();
        writer.append(base("e", 5, 0, LogEntry.Reason.NEW_EPOCH));
        assertThat(LogTopic.next(marks)).as("a snapshot").isEqualTo(5);
        writer.append(List.of(changes("e", 6)));
        assertThat(LogTopic.next(records).revision()).isEqualTo(6);
      }
      marks.clear();
      try (ChangeLog.Subscription late = log.read(6, reader)) {
        assertThat(late).isNotNull();
        assertThat(LogTopic.next(marks)).as("the end").isEqualTo(6);
      }
    }
  }

  @Test
  void aReplayBeginsAtTheNewestCompleteSnapshot() {
    try (KafkaLogWriter writer = new KafkaLogWriter(topic.config); KafkaHistory history = new KafkaHistory(topic.config)) {
      writer.claim("e");
      assertThat(writer.append(List.of(new LogEntry.Reset("e", 1, 0, LogEntry.Reason.FIRST))).whole()).isFalse();
      assertThat(writer.append(List.of(new LogEntry.Snapshot("e", 1, 0, true, List.of(change("a", "1", 1))))).whole()).isTrue();
      writer.append(List.of(changes("e", 2), changes("e", 3)));
      writer.append(List.of(new LogEntry.Snapshot("e", 3, 0, false, List.of()), new LogEntry.Snapshot("e", 3, 1, true, List.of())));
      writer.append(List.of(changes("e", 4), changes("e", 5)));
      writer.append(List.of(new LogEntry.Snapshot("e", 5, 0, false, List.of()))); // never completed
      assertThat(writer.claim("e").whole()).isTrue();
      assertThat(scan(history, 5, false)).containsExactly("Snapshot 3", "Snapshot 3", "Changes 4", "Changes 5", "Snapshot 5");
      assertThat(scan(history, 4, false)).containsExactly("Snapshot 3", "Snapshot 3", "Changes 4");
      assertThat(scan(history, 2, false)).containsExactly("Reset 1", "Snapshot 1", "Changes 2");
      assertThat(scan(history, Long.MAX_VALUE, true)).hasSize(9).startsWith("Reset 1");
    }
  }

  private static List<String> scan(KafkaHistory history, long to, boolean whole) {
    List<String> seen = new ArrayList<>();
    history.scan(to, whole, entry -> seen.add(entry.getClass().getSimpleName() + " " + entry.revision()));
    return seen;
  }
}
