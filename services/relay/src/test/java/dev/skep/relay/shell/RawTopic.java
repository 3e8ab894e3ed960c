package dev.skep.relay.shell;

import dev.skep.backend.Access;
import dev.skep.backend.kafka.KafkaConfig;
import dev.skep.testkit.kafka.KafkaServer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** All that stands in a topic, as whoever steals it sees it. */
final class RawTopic {
  private RawTopic() {}

  static String bytes(KafkaServer server, String log) {
    TopicPartition partition = new TopicPartition(KafkaConfig.of(log, Access.PLAIN).topic(), 0);
    StringBuilder text = new StringBuilder();
    Map<String, Object> settings = Map.of("bootstrap.servers", server.address(), "enable.auto.commit", false);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        consumer.poll(Duration.ofSeconds(1)).forEach(record -> text.append(new String(record.value(), StandardCharsets.ISO_8859_1)));
      }
    }
    return text.toString();
  }
}
