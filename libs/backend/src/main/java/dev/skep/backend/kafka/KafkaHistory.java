package dev.skep.backend.kafka;

import dev.skep.backend.LogEntry;
import dev.skep.backend.LogHistory;
import dev.skep.backend.StoreException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;

/** What stands in the topic now. One question at a time; a connection that failed is made anew by the next one. */
public final class KafkaHistory implements LogHistory {
  private final KafkaConfig config;
  private final ReentrantLock looking = new ReentrantLock();
  private TopicCursor eyes; // opened when first needed; under the lock

  public KafkaHistory(KafkaConfig config) {
    this.config = config;
  }

  /** The last record, of whichever epoch; empty also while there is no topic. */
  Optional<Mark> last() {
    return look(cursor -> cursor.exists() ? cursor.last() : Optional.empty());
  }

  @Override
  public long end() {
    return last().map(Mark::revision).orElse(0L);
  }

  @Override
  public void scan(long to, boolean whole, Consumer<LogEntry> visitor) {
    look(cursor -> {
      if (cursor.exists()) {
        scan(cursor, to, whole, visitor);
      }
      return null;
    });
  }

  private static void scan(TopicCursor cursor, long to, boolean whole, Consumer<LogEntry> visitor) {
    long end = cursor.end();
    long begin = cursor.begin();
    Optional<Mark> last = cursor.before(end);
    if (last.isEmpty()) {
      return;
    }
    long opened = Math.max(begin, last.get().opened());
    long stop = cursor.after(to, opened, end);
    Optional<Mark> newest = cursor.before(stop);
    if (newest.isEmpty()) {
      return;
    }
    long base = newest.get().base();
    long from = whole ? begin : base == Mark.NONE ? opened : Math.max(begin, base);
    Assembly assembly = new Assembly();
    cursor.seek(from);
    while (cursor.position() < stop) {
      for (ConsumerRecord<byte[], byte[]> record : cursor.poll(Clients.PATIENCE)) {
        if (record.offset() < stop) {
          assembly.add(record).ifPresent(one -> visitor.accept(Frames.decode(one.value(), one.mark())));
        }
      }
    }
  }

  private <T> T look(Function<TopicCursor, T> question) {
    looking.lock();
    try {
      if (eyes == null) {
        eyes = TopicCursor.looking(config);
      }
      return question.apply(eyes);
    } catch (KafkaException e) {
      forget();
      throw Plight.of("cannot read the event log", config, e);
    } catch (StoreException e) {
      forget();
      throw e;
    } finally {
      looking.unlock();
    }
  }

  private void forget() {
    if (eyes != null) {
      eyes.close();
      eyes = null;
    }
  }

  @Override
  public void close() {
    looking.lock();
    try {
      forget();
    } finally {
      looking.unlock();
    }
  }
}
