package dev.skep.runtime.view;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.runtime.View;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Owner;
import dev.skep.state.RowChange;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A view of the store: a snapshot, then the next revision from the store's watch, or from the log and, while that is late,
 * also from the watch. One thread applies revisions and calls listeners.
 */
public final class StoreView implements View, Runnable, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StoreView.class);
  private static final int QUEUE = 1024; // when full the store's watch waits
  private static final Duration RETRY = Duration.ofMillis(200);

  private sealed interface Event {
    record Moved(long revision, List<Store.Change> changes) implements Event {}

    record Lost() implements Event {}

    record Logged(ChangeLog.Record record) implements Event {}

    /** The log goes on from here. */
    record LogBegins(String epoch, long revision) implements Event {}

    /** The store was seen to be at this revision. */
    record StoreAt(long revision) implements Event {}

    /** A listener waits in {@link #joining}. */
    record Joined() implements Event {}

    record End() implements Event {}
  }

  private final Store store;
  private final FreshRevision freshRevision;
  private final Predicate<String> shown; // which keys are in this view
  private final BlockingQueue<Event> queue = new LinkedBlockingQueue<>(QUEUE);
  private final CopyOnWriteArrayList<Registration> listeners = new CopyOnWriteArrayList<>();
  private final Queue<Registration> joining = new ConcurrentLinkedQueue<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition moved = lock.newCondition();
  private final Optional<LogTail> log;
  private volatile ClusterState state;
  private volatile boolean closed;
  private volatile Store.Watch watch; // null while the log is followed and on time

  /** Reads the snapshot at once, so that {@link #state} has an answer; {@link #run} must then run on a thread. */
  public StoreView(Store store) {
    this(store, Optional.empty(), null);
  }

  /**
   * A view that follows the log. Sealed rows are not in it: the log has only their digests. {@link LogTail#run} must run on
   * a thread of its own.
   */
  public StoreView(Store store, Supplier<ChangeLog> log, ViewMetrics metrics) {
    this(store, Optional.of(log), metrics);
  }

  private StoreView(Store store, Optional<Supplier<ChangeLog>> log, ViewMetrics metrics) {
    this.store = store;
    this.freshRevision = new FreshRevision(store::revision);
    boolean followsLog = log.isPresent();
    this.shown = followsLog ? key -> !key.startsWith(Owner.SEALED.prefix()) : key -> true;
    this.state = snapshot();
    this.log = log.map(from -> new LogTail(store, from, state.revision(), metrics, this::state,
        new LogEvents(), revision -> offer(new Event.StoreAt(revision))));
  }

  /** What must run beside {@link #run} when the log is followed. */
  public Optional<Runnable> besides() {
    return log.map(tail -> tail);
  }

  private ClusterState snapshot() {
    Store.Snapshot snapshot = store.read("");
    List<Stored> rows = snapshot.entries().stream()
        .filter(entry -> shown.test(entry.key()))
        .map(entry -> new Stored(entry.key(), entry.value(), entry.createRevision(), entry.modRevision()))
        .toList();
    return ClusterState.empty().apply(snapshot.revision(), rows).state();
  }

  /** The view's life: ends when it is closed. What a listener throws comes out here. */
  @Override
  public void run() {
    try {
      if (log.isEmpty() && !follow()) {
        reread();
      }
      while (true) {
        Event next = log.isEmpty() ? queue.take() : queue.poll(LogTail.LOOK.toNanos(), TimeUnit.NANOSECONDS);
        join();
        if (log.isPresent()) {
          choose(log.get());
        }
        switch (next) {
          case null -> {
            // time to look at the log
          }
          case Event.Moved event -> apply(event);
          case Event.Logged event -> apply(event.record, log.orElseThrow());
          case Event.LogBegins event -> log.orElseThrow().begins(event.epoch, event.revision);
          case Event.StoreAt event -> log.orElseThrow().storeAt(event.revision);
          case Event.Lost _ -> reread();
          case Event.Joined _ -> {
            // they joined above
          }
          case Event.End _ -> {
            return;
          }
        }
      }
    } catch (InterruptedException e) {
      if (!closed) {
        throw new IllegalStateException("nobody interrupts a view that is open", e);
      }
    }
  }

  private void join() {
    for (Registration joined = joining.poll(); joined != null; joined = joining.poll()) {
      if (joined.open) {
        listeners.add(joined);
      }
      joined.tell(List.of(), true);
    }
  }

  /** Opens the watch; false when the store does not take it. */
  private boolean follow() {
    try {
      watch = watched();
      return true;
    } catch (StoreException e) {
      LOG.warn("the view cannot watch the store and tries again: {}", e.getMessage());
      return false;
    }
  }

  /** The log is late: beside it the watch is open. It is on time: the watch is closed. */
  private void choose(LogTail tail) {
    boolean wanted = tail.late();
    if (wanted && watch == null) {
      follow(); // when the store does not take it: again at the next look
    } else if (!wanted && watch != null) {
      watch.close();
      watch = null;
    }
  }

  private Store.Watch watched() {
    return store.watch("", state.revision() + 1, new Store.Watcher() {
      @Override
      public void changed(long revision, List<Store.Change> changes) {
        offer(new Event.Moved(revision, changes));
      }

      @Override
      public void compacted(long oldestRevision) {
        offer(new Event.Lost());
      }
    });
  }

  private void offer(Event event) {
    try {
      while (!closed && !queue.offer(event, 1, TimeUnit.SECONDS)) {
        LOG.warn("a listener of the view blocks: {} revisions wait", QUEUE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void apply(Event.Moved event) {
    log.ifPresent(tail -> tail.storeAt(event.revision));
    if (event.revision > state.revision()) {
      apply(event.revision, event.changes);
    }
    log.ifPresent(LogTail::viewMoved);
  }

  private void apply(ChangeLog.Record record, LogTail tail) {
    switch (Following.fate(state, record.epoch(), record.revision(), record.previous())) {
      case NEXT -> {
        apply(record.revision(), record.changes());
        tail.logAt(record.revision());
      }
      case KNOWN -> tail.logAt(record.revision());
      case GAP, FOREIGN -> {
        // what it had to say comes from the store
      }
    }
  }

  private void apply(long revision, List<Store.Change> changes) {
    List<Stored> rows = changes.stream()
        .filter(change -> shown.test(change.key()))
        .map(change -> new Stored(change.key(), change.value(), change.createRevision(), change.modRevision()))
        .toList();
    ClusterState.Step step = state.apply(revision, rows);
    publish(step.state());
    listeners.forEach(listener -> listener.tell(step.changes(), false));
  }

  /** The past between our state and the watch is gone: read everything, and tell everybody so. */
  private void reread() throws InterruptedException {
    if (watch != null) {
      watch.close();
      watch = null;
    }
    while (!closed) {
      try {
        publish(snapshot());
        listeners.forEach(listener -> listener.tell(List.of(), true));
        log.ifPresent(LogTail::viewMoved);
        if (log.isPresent() || follow()) {
          return;
        }
        TimeUnit.NANOSECONDS.sleep(RETRY.toNanos());
      } catch (StoreException e) {
        LOG.warn("the view cannot read the store and tries again: {}", e.getMessage());
        TimeUnit.NANOSECONDS.sleep(RETRY.toNanos());
      }
    }
  }

  private void publish(ClusterState next) {
    lock.lock();
    try {
      state = next;
      moved.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ClusterState state() {
    return state;
  }

  @Override
  public ClusterState await(long revision, Duration timeout) {
    ClusterState now = state;
    if (now.revision() >= revision) {
      return now;
    }
    long left = timeout.toNanos();
    lock.lock();
    try {
      while (state.revision() < revision) {
        if (left <= 0 || closed) {
          throw new StoreException("the view is at revision " + state.revision() + " and did not reach " + revision + " within "
              + timeout.toMillis() + " ms");
        }
        left = moved.awaitNanos(left);
      }
      return state;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while waiting for revision " + revision, e);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ClusterState fresh(Duration timeout) {
    long began = System.nanoTime();
    long revision = freshRevision.get(timeout);
    return await(revision, timeout.minusNanos(System.nanoTime() - began));
  }

  @Override
  public AutoCloseable listen(Listener listener) {
    Registration registration = new Registration(listener);
    joining.add(registration);
    queue.offer(new Event.Joined()); // when the queue is full the next event serves as well; a listener may call this, too
    return registration;
  }

  /** On a thread of the log. */
  private final class LogEvents implements ChangeLog.Reader {
    @Override
    public void record(ChangeLog.Record record) {
      offer(new Event.Logged(record));
    }

    @Override
    public void at(String epoch, long revision) {
      offer(new Event.LogBegins(epoch, revision));
    }
  }

  private final class Registration implements AutoCloseable {
    private final Listener listener;
    private volatile boolean open = true;

    private Registration(Listener listener) {
      this.listener = listener;
    }

    private void tell(List<RowChange> changes, boolean reset) {
      if (open) {
        listener.moved(state, changes, reset);
      }
    }

    @Override
    public void close() {
      open = false;
      listeners.remove(this);
    }
  }

  @Override
  public void close() {
    closed = true;
    log.ifPresent(LogTail::close);
    Store.Watch open = watch;
    if (open != null) {
      open.close();
    }
    queue.clear();
    queue.offer(new Event.End());
    publish(state);
  }
}
