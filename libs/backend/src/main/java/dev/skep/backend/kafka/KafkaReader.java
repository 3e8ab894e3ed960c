package dev.skep.backend.kafka;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.DeniedException;
import dev.skep.backend.LogEntry;
import dev.skep.backend.StoreException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One subscription: a thread that finds the place of its revision in the topic and follows it from there. When anything
 * goes wrong it begins again at the last revision that it delivered, for ever, ever more slowly.
 *
 * <p>Records of another epoch than the one asked for are passed over: those of an older one stand before a restore, and
 * those of a newer one come as soon as the epoch asked for is the new one.
 */
final class KafkaReader implements ChangeLog.Subscription {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaReader.class);
  private static final Duration POLL = Duration.ofSeconds(1);
  private static final long MOST_BACK_OFF_MILLIS = 2_000;
  private static final int COMPLAIN_EVERY = 30;

  private final KafkaConfig config;
  private final Supplier<String> epoch;
  private final ChangeLog.Reader reader;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();
  private volatile boolean open = true;
  private volatile TopicCursor current;
  private String lastEpoch;
  private long lastRevision;
  private int failures;
  private String said = "";

  KafkaReader(KafkaConfig config, Supplier<String> epoch, long afterRevision, ChangeLog.Reader reader) {
    this.config = config;
    this.epoch = epoch;
    this.reader = reader;
    this.lastRevision = afterRevision;
    this.lastEpoch = epoch.get();
  }

  void run() {
    while (open) {
      try {
        OptionalLong place = find();
        if (place.isPresent()) {
          follow(place.getAsLong());
        }
      } catch (WakeupException e) {
        // closed
      } catch (KafkaException e) {
        complain(Plight.of("cannot follow the event log", config, e));
      } catch (StoreException e) {
        complain(e);
      }
      pause();
    }
  }

  /** Where to begin; empty while there is no topic. */
  private OptionalLong find() {
    try (TopicCursor cursor = TopicCursor.looking(config)) {
      current = cursor;
      return open && cursor.exists() ? OptionalLong.of(place(cursor)) : OptionalLong.empty();
    }
  }

  private void follow(long place) {
    try (TopicCursor cursor = TopicCursor.following(config)) {
      current = cursor;
      cursor.seek(place);
      Assembly assembly = new Assembly();
      while (open) {
        for (ConsumerRecord<byte[], byte[]> record : cursor.poll(POLL)) {
          Optional<Assembly.Whole> whole = assembly.add(record);
          if (!open) {
            return;
          }
          whole.ifPresent(this::deliver);
        }
        failures = 0;
      }
    }
  }

  /** Where to begin: behind the last revision delivered, or at the end while the topic speaks of another epoch. */
  private long place(TopicCursor cursor) {
    long end = cursor.end();
    Optional<Mark> last = cursor.before(end);
    if (last.isEmpty()) {
      return end;
    }
    String wanted = epoch.get();
    if (!wanted.isEmpty() && !wanted.equals(last.get().epoch())) {
      return end;
    }
    long after = lastEpoch.isEmpty() || lastEpoch.equals(last.get().epoch()) ? lastRevision : 0;
    if (last.get().revision() <= after) {
      reader.at(last.get().epoch(), last.get().revision());
    }
    return cursor.after(after, Math.max(cursor.begin(), last.get().opened()), end);
  }

  private void deliver(Assembly.Whole whole) {
    Mark mark = whole.mark();
    String wanted = epoch.get();
    if (!wanted.isEmpty() && !wanted.equals(mark.epoch())) {
      return;
    }
    boolean same = lastEpoch.isEmpty() || lastEpoch.equals(mark.epoch());
    if (same && mark.revision() <= lastRevision) {
      return;
    }
    lastEpoch = mark.epoch();
    lastRevision = mark.revision();
    if (mark.kind() != Frames.CHANGES) {
      reader.at(mark.epoch(), mark.revision()); // once: what else belongs to it is of the same revision
    } else if (Frames.decode(whole.value(), mark) instanceof LogEntry.Changes changes) {
      reader.record(new ChangeLog.Record(changes.epoch(), changes.revision(), changes.previous(), changes.changes()));
    }
  }

  /** At once, when it is another failure than before, and now and then. */
  private void complain(StoreException e) {
    String now = String.valueOf(e.getMessage());
    if (open && (failures % COMPLAIN_EVERY == 0 || e instanceof DeniedException && !now.equals(said))) {
      LOG.warn("{}; it is tried again", now);
    }
    said = now;
  }

  private void pause() {
    if (!open) {
      return;
    }
    long wait = Math.min(MOST_BACK_OFF_MILLIS, 50L << Math.min(failures, 10));
    failures++;
    lock.lock();
    try {
      if (open) {
        long left = ended.awaitNanos(TimeUnit.MILLISECONDS.toNanos(wait));
        LOG.trace("tried again {} ns early", left);
      }
    } catch (InterruptedException e) {
      open = false; // only whoever ends the process interrupts a reader
    } finally {
      lock.unlock();
    }
  }

  /** At most the call that is already under way still reaches the reader. */
  @Override
  public void close() {
    open = false;
    TopicCursor cursor = current;
    if (cursor != null) {
      cursor.wakeup();
    }
    lock.lock();
    try {
      ended.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
