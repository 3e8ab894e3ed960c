package dev.skep.backend.kafka;

import dev.skep.backend.StoreException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Looks around in the topic: its bounds, the record at a place, the place of a revision. Transactions leave holes in the
 * offsets (their ends, and all of an aborted one), so that a place is always "the first record from here on". Not for
 * concurrent use, but for {@link #wakeup}.
 */
final class TopicCursor implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(500);

  private final KafkaConfig config;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final TopicPartition partition;

  private TopicCursor(KafkaConfig config, Duration longPoll) {
    this.config = config;
    this.partition = new TopicPartition(config.topic(), 0);
    this.consumer = Clients.consumer(config, longPoll);
    consumer.assign(List.of(partition));
  }

  /** To look around. */
  static TopicCursor looking(KafkaConfig config) {
    return new TopicCursor(config, Clients.LOOKING);
  }

  /** To stay at the end. */
  static TopicCursor following(KafkaConfig config) {
    return new TopicCursor(config, Clients.FOLLOWING);
  }

  /** Whether the topic is there. */
  boolean exists() {
    List<PartitionInfo> partitions = consumer.partitionsFor(config.topic());
    return partitions != null && !partitions.isEmpty();
  }

  /** The first offset that is left. */
  long begin() {
    return consumer.beginningOffsets(List.of(partition)).get(partition);
  }

  /** The offset behind the last record of a finished transaction. */
  long end() {
    return consumer.endOffsets(List.of(partition)).get(partition);
  }

  /** The first record from this offset on and before the end. */
  Optional<ConsumerRecord<byte[], byte[]>> at(long offset, long end) {
    if (offset >= end) {
      return Optional.empty();
    }
    consumer.seek(partition, offset);
    long deadline = System.nanoTime() + Clients.PATIENCE.toNanos();
    while (true) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL).records(partition)) {
        if (Mark.of(record).isPresent()) {
          return record.offset() < end ? Optional.of(record) : Optional.empty();
        }
      }
      if (consumer.position(partition) >= end) {
        return Optional.empty();
      }
      if (System.nanoTime() - deadline > 0) {
        throw new StoreException(config.place() + " does not answer: offset " + offset + " of " + end + " could not be read");
      }
    }
  }

  /** The last record before this offset: looks back in steps that double. */
  Optional<Mark> before(long offset) {
    long begin = begin();
    for (long step = 4; ; step *= 2) {
      long from = Math.max(begin, offset - step);
      Optional<Mark> last = lastBetween(from, offset);
      if (last.isPresent() || from == begin) {
        return last;
      }
    }
  }

  private Optional<Mark> lastBetween(long from, long end) {
    Optional<Mark> last = Optional.empty();
    if (from >= end) {
      return last;
    }
    consumer.seek(partition, from);
    long deadline = System.nanoTime() + Clients.PATIENCE.toNanos();
    while (consumer.position(partition) < end) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL).records(partition)) {
        if (record.offset() < end) {
          Optional<Mark> mark = Mark.of(record);
          last = mark.isPresent() ? mark : last;
        }
      }
      if (System.nanoTime() - deadline > 0) {
        throw new StoreException(config.place() + " does not answer: offsets " + from + " to " + end + " could not be read");
      }
    }
    return last;
  }

  /** The last record of a finished transaction. */
  Optional<Mark> last() {
    return before(end());
  }

  /**
   * The first offset between these at which no more than larger revisions stand; {@code to} when there is none. All
   * records between them are of one epoch, in which revisions grow.
   */
  long after(long revision, long from, long to) {
    return firstWhere(mark -> mark.revision() > revision, from, to);
  }

  private long firstWhere(Predicate<Mark> late, long from, long to) {
    long low = from; // before it everything is early
    long high = to; // from it on everything is late
    while (low < high) {
      long middle = low + (high - low) / 2;
      Optional<Mark> mark = at(middle, high).flatMap(Mark::of);
      if (mark.isEmpty() || late.test(mark.get())) {
        high = middle;
      } else {
        low = mark.get().offset() + 1;
      }
    }
    return at(high, to).map(ConsumerRecord::offset).orElse(to);
  }

  void seek(long offset) {
    consumer.seek(partition, offset);
  }

  long position() {
    return consumer.position(partition);
  }

  List<ConsumerRecord<byte[], byte[]>> poll(Duration timeout) {
    ConsumerRecords<byte[], byte[]> records = consumer.poll(timeout);
    return records.records(partition);
  }

  /** From any thread: a call that waits ends with a WakeupException. */
  void wakeup() {
    consumer.wakeup();
  }

  @Override
  public void close() {
    consumer.close(CloseOptions.timeout(Duration.ZERO));
  }
}
