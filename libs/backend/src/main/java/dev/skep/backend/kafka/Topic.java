package dev.skep.backend.kafka;

import dev.skep.backend.StoreException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The topic itself: made by the writer when it is missing. */
final class Topic {
  private Topic() {}

  static void ensure(KafkaConfig config) {
    try (Admin admin = Clients.admin(config)) {
      try {
        int partitions = await(admin.describeTopics(List.of(config.topic())).topicNameValues().get(config.topic())).partitions().size();
        if (partitions != 1) {
          throw new StoreException(config.place() + " has " + partitions + " partitions, but the log is one sequence: name another topic");
        }
      } catch (UnknownTopicOrPartitionException e) {
        make(admin, config);
      }
    }
  }

  private static void make(Admin admin, KafkaConfig config) {
    Optional<Short> copies = config.replication() == 0 ? Optional.empty() : Optional.of((short) config.replication());
    NewTopic topic = new NewTopic(config.topic(), Optional.of(1), copies).configs(Clients.topicSettings(config.replication()));
    try {
      await(admin.createTopics(List.of(topic)).all());
    } catch (TopicExistsException e) {
      // another relay was faster
    }
  }

  /** The answer, or the broker's own exception. */
  private static <T> T await(KafkaFuture<T> answer) {
    try {
      return answer.get(Clients.PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw new StoreException("the brokers answered: " + e.getCause().getMessage(), e.getCause());
    } catch (TimeoutException e) {
      throw new StoreException("the brokers did not answer within " + Clients.PATIENCE.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while asking the brokers", e);
    }
  }
}
