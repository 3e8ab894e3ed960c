package dev.skep.backend.kafka;

import dev.skep.backend.Access;
import dev.skep.backend.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Clients of the brokers, with the settings that the log needs. No call of theirs waits longer than {@link #PATIENCE}. */
final class Clients {
  static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration REQUEST = Duration.ofSeconds(4);

  /** How long a broker may think about a fetch when there is nothing new: an idle reader asks this often. */
  static final Duration FOLLOWING = Duration.ofSeconds(2);

  /** Who looks around must not wait: a fetch that is under way at the end holds up the next one elsewhere. */
  static final Duration LOOKING = Duration.ofMillis(5);

  /** What a writer leaves unfinished holds up readers for as long, if no other writer comes. */
  static final Duration TRANSACTION = Duration.ofSeconds(15);

  private Clients() {}

  static Admin admin(KafkaConfig config) {
    Map<String, Object> settings = common(config);
    settings.put(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
    return Admin.create(settings);
  }

  static KafkaConsumer<byte[], byte[]> consumer(KafkaConfig config, Duration longPoll) {
    Map<String, Object> settings = common(config);
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none"); // a lost place is found again by revision
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    settings.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, (int) longPoll.toMillis());
    settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, 512 << 10);
    settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** The transactional id is the topic's: who claims it last is its one writer. */
  static KafkaProducer<byte[], byte[]> producer(KafkaConfig config) {
    Map<String, Object> settings = common(config);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId(config));
    settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, (int) TRANSACTION.toMillis());
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, PATIENCE.toMillis());
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  static String transactionalId(KafkaConfig config) {
    return "skep.relay." + config.topic();
  }

  private static Map<String, Object> common(KafkaConfig config) {
    Map<String, Object> settings = new HashMap<>();
    settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, config.servers());
    settings.put(CommonClientConfigs.CLIENT_ID_CONFIG, "skep");
    settings.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, (int) REQUEST.toMillis());
    settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MS_CONFIG, 50L);
    settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 500L);
    settings.put(CommonClientConfigs.SOCKET_CONNECTION_SETUP_TIMEOUT_MS_CONFIG, 2_000L);
    settings.put(CommonClientConfigs.SOCKET_CONNECTION_SETUP_TIMEOUT_MAX_MS_CONFIG, 4_000L);
    settings.put("enable.metrics.push", false); // the brokers have no business with our figures
    settings.put(CommonClientConfigs.METRIC_REPORTER_CLASSES_CONFIG, ""); // nor has JMX
    Access access = config.access();
    access.tls().ifPresent(tls -> tls(settings, tls));
    access.credentials().ifPresent(user -> sasl(settings, config.mechanism(), user));
    String protocol = (access.credentials().isPresent() ? "SASL_" : "") + (access.tls().isPresent() ? "SSL" : "PLAINTEXT");
    settings.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, protocol);
    return settings;
  }

  private static void tls(Map<String, Object> settings, Access.TlsFiles tls) {
    settings.put(SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG, "PEM");
    settings.put(SslConfigs.SSL_TRUSTSTORE_CERTIFICATES_CONFIG, text(tls.root()));
    settings.put(SslConfigs.SSL_ENDPOINT_IDENTIFICATION_ALGORITHM_CONFIG, "https"); // a broker's certificate names its host
    tls.certificate().ifPresent(certificate -> {
      settings.put(SslConfigs.SSL_KEYSTORE_TYPE_CONFIG, "PEM");
      settings.put(SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG, text(certificate));
      settings.put(SslConfigs.SSL_KEYSTORE_KEY_CONFIG, text(tls.key().orElseThrow()));
    });
  }

  private static void sasl(Map<String, Object> settings, String mechanism, Access.Credentials user) {
    String module = mechanism.equals("PLAIN")
        ? "org.apache.kafka.common.security.plain.PlainLoginModule"
        : "org.apache.kafka.common.security.scram.ScramLoginModule";
    settings.put(SaslConfigs.SASL_MECHANISM, mechanism);
    settings.put(SaslConfigs.SASL_JAAS_CONFIG, module + " required username=" + quoted(user.user()) + " password=" + quoted(user.password()) + ";");
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new StoreException("cannot read the credentials for Kafka in " + file + ": " + e.getMessage(), e);
    }
  }

  /** How a topic is made: kept for a week, of which replay needs a day; never cleaned by key. */
  static Map<String, String> topicSettings(int replication) {
    Map<String, String> settings = new HashMap<>();
    settings.put(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_DELETE);
    settings.put(TopicConfig.RETENTION_MS_CONFIG, Long.toString(Duration.ofDays(7).toMillis()));
    settings.put(TopicConfig.RETENTION_BYTES_CONFIG, "-1");
    settings.put(TopicConfig.SEGMENT_MS_CONFIG, Long.toString(Duration.ofHours(12).toMillis()));
    settings.put(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(1 << 20));
    settings.put(TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG, "false");
    if (replication > 0) {
      settings.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, replication > 2 ? "2" : "1");
    }
    return settings;
  }
}
