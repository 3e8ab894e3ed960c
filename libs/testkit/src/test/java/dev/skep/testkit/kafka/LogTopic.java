package dev.skep.testkit.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Access;
import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.backend.kafka.KafkaChangeLog;
import dev.skep.backend.kafka.KafkaConfig;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A topic of its own for a test, and what tests look at from outside. */
final class LogTopic {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  final KafkaServer server;
  final String name = "log-" + COUNT.incrementAndGet();
  final KafkaConfig config;

  LogTopic(KafkaServer server) {
    this.server = server;
    this.config = KafkaConfig.of(server.uri(name), Access.PLAIN);
  }

  KafkaChangeLog open(Supplier<String> epoch) {
    return new KafkaChangeLog(config, LogTopic::thread, epoch);
  }

  static Thread thread(String name, Runnable body) {
    return Thread.ofPlatform().daemon().name(name).start(body);
  }

  static ChangeLog.Record record(String epoch, long revision, long previous, Store.Change... changes) {
    return new ChangeLog.Record(epoch, revision, previous, List.of(changes));
  }

  static Store.Change change(String key, String value, long revision) {
    return new Store.Change(key, value.getBytes(StandardCharsets.UTF_8), revision, revision);
  }

  static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
    T next = queue.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertThat(next).as("something within %s", PATIENCE).isNotNull();
    return next;
  }

  /** Everything that a reader can see, in order. */
  List<ConsumerRecord<byte[], byte[]>> everything() {
    Map<String, Object> settings = Map.of("bootstrap.servers", server.address(), "isolation.level", "read_committed", "enable.auto.commit", false);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(name, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
      while (consumer.position(partition) < end) {
        consumer.poll(Duration.ofSeconds(1)).forEach(records::add);
      }
      return records;
    }
  }

  static long revision(ConsumerRecord<byte[], byte[]> record) {
    return ByteBuffer.wrap(record.headers().lastHeader("revision").value()).getLong();
  }

  List<Long> revisions() {
    return everything().stream().map(LogTopic::revision).toList();
  }

  /** As if their time had come. */
  void deleteBefore(long revision) throws Exception {
    deleteBeforeOffset(everything().stream().filter(record -> revision(record) >= revision).findFirst().orElseThrow().offset());
  }

  void deleteFirst() throws Exception {
    deleteBeforeOffset(everything().getFirst().offset() + 1);
  }

  private void deleteBeforeOffset(long offset) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", server.address()))) {
      admin.deleteRecords(Map.of(new TopicPartition(name, 0), RecordsToDelete.beforeOffset(offset))).all().get();
    }
  }
}
