package dev.skep.backend.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.apache.kafka.common.config.TopicConfig;

/**
 * A topic as it is, and what the log needs of it.
 *
 * @param topic its settings, by name
 * @param broker those of a broker that has it
 */
record TopicNeeds(
    KafkaConfig config, int partitions, int copies, Function<String, Optional<String>> topic, Function<String, Optional<String>> broker) {
  /** A replay begins with a snapshot, of which there is one a day. */
  private static final Duration LEAST_RETENTION = Duration.ofDays(2);

  /** A slice with its headers. */
  private static final long LEAST_BATCH = Frames.SLICE + (64L << 10);

  private static final String LONGEST_TRANSACTION = "transaction.max.timeout.ms";
  private static final String TRANSACTION_COPIES = "transaction.state.log.replication.factor";
  private static final String TRANSACTION_MINIMUM = "transaction.state.log.min.isr";

  /** What makes the log wrong or stops it, as sentences that say what to do. */
  List<String> wrong() {
    List<String> wrong = new ArrayList<>();
    if (partitions != 1) {
      wrong.add("it has " + partitions + " partitions, but the log is one sequence: name another topic (?topic=NAME)");
    }
    topic.apply(TopicConfig.CLEANUP_POLICY_CONFIG).filter(policy -> !policy.equals(TopicConfig.CLEANUP_POLICY_DELETE)).ifPresent(policy ->
        wrong.add("cleanup.policy is " + policy + ", which loses revisions: " + set("cleanup.policy=delete")));
    number(topic, TopicConfig.RETENTION_MS_CONFIG).stream().filter(millis -> millis >= 0 && millis < LEAST_RETENTION.toMillis()).forEach(millis ->
        wrong.add("retention.ms is " + millis + ", less than the two days that a replay needs: " + set("retention.ms=" + Duration.ofDays(7).toMillis())));
    number(topic, TopicConfig.MAX_MESSAGE_BYTES_CONFIG).stream().filter(bytes -> bytes < LEAST_BATCH).forEach(bytes ->
        wrong.add("max.message.bytes is " + bytes + ", less than a record of ours may have: " + set("max.message.bytes=" + (1 << 20))));
    number(topic, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG).stream().filter(least -> least > copies).forEach(least ->
        wrong.add("min.insync.replicas is " + least + " of " + copies + " copies, so nothing can be written: " + set("min.insync.replicas=" + Math.max(1, copies - 1))));
    number(broker, LONGEST_TRANSACTION).stream().filter(millis -> millis < Clients.TRANSACTION.toMillis()).forEach(millis ->
        wrong.add(LONGEST_TRANSACTION + " of the brokers is " + millis + ", less than our " + Clients.TRANSACTION.toMillis() + ": raise it there"));
    OptionalLong least = number(broker, TRANSACTION_MINIMUM);
    OptionalLong all = number(broker, TRANSACTION_COPIES);
    if (least.isPresent() && all.isPresent() && least.getAsLong() > all.getAsLong()) {
      wrong.add(TRANSACTION_MINIMUM + " of the brokers is " + least.getAsLong() + ", but " + TRANSACTION_COPIES + " is " + all.getAsLong()
          + ", so no transaction can begin: mend that there");
    }
    return wrong;
  }

  /** What works until something else fails. */
  List<String> poor() {
    List<String> poor = new ArrayList<>();
    OptionalLong least = number(topic, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG);
    if (copies > 1 && least.isPresent() && least.getAsLong() == copies) {
      poor.add("min.insync.replicas is all " + copies + " copies: the log stops with the first broker that is down (" + set("min.insync.replicas=" + (copies - 1)) + ")");
    }
    if (copies > 2 && least.isPresent() && least.getAsLong() < 2) {
      poor.add("min.insync.replicas is 1 of " + copies + " copies: what is acknowledged may be lost with one broker (" + set("min.insync.replicas=2") + ")");
    }
    if (topic.apply(TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG).filter("true"::equals).isPresent()) {
      poor.add("a copy that lags may become the leader: what is acknowledged may be lost (" + set("unclean.leader.election.enable=false") + ")");
    }
    number(topic, TopicConfig.RETENTION_BYTES_CONFIG).stream().filter(bytes -> bytes >= 0).forEach(bytes ->
        poor.add("retention.bytes is " + bytes + ": a busy day may push out the snapshot that a replay begins with (" + set("retention.bytes=-1") + ")"));
    return poor;
  }

  private String set(String setting) {
    return "kafka-configs --bootstrap-server " + config.servers().getFirst() + " --alter --topic " + config.topic() + " --add-config " + setting;
  }

  private static OptionalLong number(Function<String, Optional<String>> settings, String name) {
    return settings.apply(name).filter(text -> text.matches("-?\\d{1,18}")).stream().mapToLong(Long::parseLong).findFirst();
  }
}
