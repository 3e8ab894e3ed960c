package dev.skep.runtime.view;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.StoreException;
import dev.skep.backend.Store;
import dev.skep.state.ClusterState;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log as a view follows it, and how far behind the store it is: while the watch is closed the store is asked for its
 * revision now and then. The log may be away, also from the beginning.
 */
final class LogTail implements Runnable, AutoCloseable {
  /** How often the store's revision and the log's lateness are looked at. */
  static final Duration LOOK = Duration.ofMillis(100);

  private static final Logger LOG = LoggerFactory.getLogger(LogTail.class);

  private final Store store;
  private final Supplier<ChangeLog> log;
  private final ViewMetrics metrics;
  private final Supplier<ClusterState> state;
  private final ChangeLog.Reader reader;
  private final LongConsumer revisions;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ending = lock.newCondition();
  private final Following following; // of the view's thread
  private Point start; // of the view's thread; null: none that the view has not reached
  private long looked = System.nanoTime(); // of the view's thread
  private volatile boolean late;
  private boolean closed; // guarded by the lock
  private String complaint = ""; // of the thread beside
  private ChangeLog.Subscription subscription; // of the thread beside

  private record Point(String epoch, long revision) {}

  /**
   * @param log opened when first needed; may throw StoreException while it is away
   * @param reader takes what the log shows, on a thread of the log
   * @param revisions takes the store's revision
   */
  LogTail(
      Store store, Supplier<ChangeLog> log, long revision, ViewMetrics metrics, Supplier<ClusterState> state,
      ChangeLog.Reader reader, LongConsumer revisions) {
    this.store = store;
    this.log = log;
    this.metrics = metrics;
    this.state = state;
    this.reader = reader;
    this.revisions = revisions;
    this.following = new Following(revision, System.nanoTime());
  }

  // ---- on the view's thread ----

  void logAt(long revision) {
    following.logAt(revision, System.nanoTime());
  }

  /** The log goes on only from this revision; when the view has reached it, by the store, the log is where the view is. */
  void begins(String epoch, long revision) {
    start = new Point(epoch, revision);
    viewMoved();
  }

  void viewMoved() {
    if (start != null && start.revision <= state.get().revision()) {
      if (Following.fate(state.get(), start.epoch, start.revision, start.revision) == Following.Fate.KNOWN) {
        logAt(start.revision);
      }
      start = null;
    }
  }

  void storeAt(long revision) {
    following.storeAt(revision, System.nanoTime());
  }

  boolean late() {
    long now = System.nanoTime();
    metrics.passed(now - looked, late);
    looked = now;
    boolean is = following.watching(now);
    if (is != late) {
      late = is;
      LOG.info(is ? "the event log is late: the view follows the store beside it" : "the event log is on time again");
    }
    return is;
  }

  // ---- beside it ----

  @Override
  public void run() {
    try {
      while (pause()) {
        subscribe();
        if (!late) {
          ask();
        }
      }
    } catch (InterruptedException e) {
      LOG.debug("the process ends");
    } finally {
      if (subscription != null) {
        subscription.close();
      }
    }
  }

  private void subscribe() {
    if (subscription != null) {
      return;
    }
    try {
      subscription = log.get().read(state.get().revision(), reader);
      complaint = "";
    } catch (StoreException e) {
      if (!String.valueOf(e.getMessage()).equals(complaint)) {
        complaint = String.valueOf(e.getMessage());
        LOG.warn("the event log cannot be read; tried again: {}", complaint);
      }
    }
  }

  private void ask() {
    try {
      revisions.accept(store.revision());
    } catch (StoreException e) {
      LOG.debug("the store does not tell its revision: {}", e.getMessage()); // then there is nothing to be behind of
    }
  }

  private boolean pause() throws InterruptedException {
    lock.lock();
    try {
      return !closed && (ending.awaitNanos(LOOK.toNanos()) <= 0 || !closed);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      ending.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
