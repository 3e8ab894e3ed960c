package dev.skep.backend.kafka;

import dev.skep.backend.Access;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where the brokers are and how to prove oneself to them. Certificates and keys stay in files, which are read whenever a
 * client is made anew: what is renewed there is used without a restart.
 *
 * @param servers {@code host:port}, at least one
 * @param replication copies of the topic when it has to be made; 0: what the brokers do by default
 * @param mechanism how user and password are shown, if there are any: {@code SCRAM-SHA-512}, {@code SCRAM-SHA-256} or {@code PLAIN}
 */
public record KafkaConfig(List<String> servers, String topic, int replication, String mechanism, Access access) {
  public static final String TOPIC = "skep.changes";
  private static final String SCHEME = "kafka://";
  private static final int PORT = 9092;
  private static final Set<String> MECHANISMS = Set.of("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN");
  private static final Set<String> OPTIONS = Set.of("topic", "replication", "mechanism");

  public KafkaConfig {
    servers = List.copyOf(servers);
    if (servers.isEmpty() || servers.stream().anyMatch(String::isBlank)) {
      throw new IllegalArgumentException("a log on Kafka needs at least one broker: kafka://host:9092,host2:9092");
    }
    if (!MECHANISMS.contains(mechanism)) {
      throw new IllegalArgumentException("mechanism is SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN, not '" + mechanism + "'");
    }
  }

  /** Whether the URI is for Kafka. */
  public static boolean names(String uri) {
    return uri.startsWith(SCHEME);
  }

  /** {@code kafka://h1:9092,h2,h3?topic=NAME&replication=3&mechanism=PLAIN}; all after the question mark is optional. */
  public static KafkaConfig of(String uri, Access access) {
    if (!names(uri)) {
      throw new IllegalArgumentException("'" + uri + "' is no kafka:// address");
    }
    String[] parts = uri.substring(SCHEME.length()).split("\\?", 2);
    List<String> servers = new ArrayList<>();
    for (String server : parts[0].split(",")) {
      String host = server.strip().replaceFirst("/$", "");
      servers.add(host.isEmpty() || host.matches(".*:\\d+") ? host : host + ":" + PORT);
    }
    Map<String, String> options = options(parts.length == 2 ? parts[1] : "", uri);
    return new KafkaConfig(servers, options.getOrDefault("topic", TOPIC), replication(options.getOrDefault("replication", "0")),
        options.getOrDefault("mechanism", "SCRAM-SHA-512"), access);
  }

  private static Map<String, String> options(String text, String uri) {
    Map<String, String> options = new HashMap<>();
    for (String option : text.isEmpty() ? new String[0] : text.split("&")) {
      String[] pair = option.split("=", 2);
      if (pair.length != 2 || pair[1].isEmpty() || !OPTIONS.contains(pair[0])) {
        throw new IllegalArgumentException("'" + option + "' in " + uri + ": known are topic=NAME, replication=NUMBER and mechanism=NAME");
      }
      options.put(pair[0], pair[1]);
    }
    return options;
  }

  private static int replication(String text) {
    if (!text.matches("\\d{1,2}")) {
      throw new IllegalArgumentException("replication is a small number, not '" + text + "'");
    }
    return Integer.parseInt(text);
  }

  /** For messages: the brokers and the topic. */
  String place() {
    return "topic " + topic + " at " + String.join(",", servers);
  }
}
