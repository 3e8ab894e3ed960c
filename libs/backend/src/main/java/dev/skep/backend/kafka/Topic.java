package dev.skep.backend.kafka;

import dev.skep.backend.DeniedException;
import dev.skep.backend.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The topic itself: made by the writer when it is missing, and held to what the log needs. */
final class Topic {
  private Topic() {}

  /** Returns what works and is not good, as sentences. Throws {@link DeniedException} for what does not work. */
  static List<String> ensure(KafkaConfig config) {
    Admin admin = Clients.admin(config);
    try {
      return ensure(admin, config);
    } finally {
      admin.close(Duration.ZERO); // else it waits for what was asked and not answered
    }
  }

  static List<String> ensure(Admin admin, KafkaConfig config) {
    TopicDescription found = describe(admin, config).or(() -> {
      make(admin, config);
      return describe(admin, config);
    }).orElseThrow(() -> new StoreException(config.place() + " was made and is not there yet"));
    TopicPartitionInfo partition = found.partitions().getFirst();
    Optional<Config> settings = settings(admin, new ConfigResource(ConfigResource.Type.TOPIC, config.topic()));
    Optional<Config> broker = Optional.ofNullable(partition.leader())
        .flatMap(leader -> settings(admin, new ConfigResource(ConfigResource.Type.BROKER, leader.idString())));
    TopicNeeds needs = new TopicNeeds(config, found.partitions().size(), partition.replicas().size(), value(settings), value(broker));
    List<String> wrong = needs.wrong();
    if (!wrong.isEmpty()) {
      throw new DeniedException(config.place() + " cannot hold the event log: " + String.join("; ", wrong), null);
    }
    List<String> poor = new ArrayList<>(needs.poor());
    if (settings.isEmpty()) {
      poor.add("its settings are hidden from us, and not checked: 'skep admin grant' makes users that may see them");
    }
    return poor;
  }

  /** Empty when we may not see them: users that others made may have less than ours. */
  private static Optional<Config> settings(Admin admin, ConfigResource whose) {
    try {
      return Optional.of(await(admin.describeConfigs(List.of(whose)).values().get(whose)));
    } catch (AuthorizationException e) {
      return Optional.empty();
    }
  }

  private static Function<String, Optional<String>> value(Optional<Config> settings) {
    return name -> settings.map(all -> all.get(name)).map(ConfigEntry::value);
  }

  private static Optional<TopicDescription> describe(Admin admin, KafkaConfig config) {
    try {
      return Optional.of(await(admin.describeTopics(List.of(config.topic())).topicNameValues().get(config.topic())));
    } catch (UnknownTopicOrPartitionException e) {
      return Optional.empty();
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
  static <T> T await(KafkaFuture<T> answer) {
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
