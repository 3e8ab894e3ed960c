package dev.skep.runtime.loop;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.View;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Drives a {@link LoopCore} on one thread: feeds it the view, does what it says, sleeps when it says so. */
public final class ThreadedLoop implements ControlLoop, Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(ThreadedLoop.class);
  private static final Duration LONGEST_SLEEP = Duration.ofSeconds(30); // the wall clock may have been set meanwhile
  private static final int MOST_CHANGES = 50_000;

  private final String name;
  private final LoopCore core;
  private final Store store;
  private final Clock clock;
  private final Predicate<ClusterState> concerned;
  private final LoopMetrics.OfLoop metrics;
  private final AutoCloseable listening;

  private boolean resting; // known to the loop's thread only

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition something = lock.newCondition();
  // the inbox, under the lock
  private ClusterState latest;
  private List<RowChange> changes = new ArrayList<>();
  private boolean reset;
  private boolean woken;
  private boolean closed;
  private boolean ended;
  private Thread runner;

  /** @param concerned while it does not hold the loop neither decides nor wants to lead, and writes nothing */
  public ThreadedLoop(
      String name, LoopCore core, Store store, View view, Clock clock, Predicate<ClusterState> concerned, LoopMetrics metrics) {
    this.name = name;
    this.core = core;
    this.store = store;
    this.clock = clock;
    this.concerned = concerned;
    this.metrics = metrics.new OfLoop(name);
    this.listening = view.listen(this::moved);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Map<String, String> quarantined() {
    return core.quarantined();
  }

  /** On the view's thread: notes and returns. */
  private void moved(ClusterState state, List<RowChange> more, boolean lostPast) {
    lock.lock();
    try {
      latest = state;
      if (lostPast || changes.size() > MOST_CHANGES) {
        reset = true;
        changes.clear();
      }
      if (!reset) {
        changes.addAll(more);
      }
      something.signal();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void wake() {
    lock.lock();
    try {
      woken = true;
      something.signal();
    } finally {
      lock.unlock();
    }
  }

  /** The loop's whole life. What the decider throws comes out here. */
  @Override
  public void run() {
    lock.lock();
    try {
      runner = Thread.currentThread();
    } finally {
      lock.unlock();
    }
    try {
      while (drain()) {
        if (resting) {
          core.rest();
          sleep(Optional.empty());
          continue;
        }
        long began = System.nanoTime();
        Action action = core.next(clock.instant());
        metrics.stepped(core, System.nanoTime() - began);
        switch (action) {
          case Action.Commit commit -> commit(commit);
          case Action.ReadLeader read -> read(read);
          case Action.Sleep sleep -> sleep(sleep.until());
        }
      }
    } finally {
      lock.lock();
      try {
        ended = true;
        something.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** Hands the inbox to the core; false when the loop was closed. */
  private boolean drain() {
    ClusterState state;
    List<RowChange> since;
    boolean lostPast;
    boolean wake;
    lock.lock();
    try {
      if (closed) {
        return false;
      }
      state = latest;
      since = changes;
      lostPast = reset;
      wake = woken;
      latest = null;
      changes = new ArrayList<>();
      reset = false;
      woken = false;
    } finally {
      lock.unlock();
    }
    if (state != null) {
      resting = !concerned.test(state);
      core.viewMoved(state, since, lostPast);
    }
    if (wake) {
      core.wake();
    }
    return true;
  }

  private void commit(Action.Commit commit) {
    long began = System.nanoTime();
    try {
      Store.Outcome outcome = store.commit(commit.transaction());
      metrics.committed(System.nanoTime() - began);
      core.committed(outcome);
    } catch (StoreException e) {
      LOG.warn("loop {}: a commit's outcome is unknown: {}", name, e.getMessage());
      metrics.unknown();
      core.unknown();
    }
  }

  private void read(Action.ReadLeader read) {
    try {
      core.leaderRead(store.get(read.key()));
    } catch (StoreException e) {
      LOG.warn("loop {}: cannot read the leader row: {}", name, e.getMessage());
      core.leaderReadFailed();
    }
  }

  private void sleep(Optional<Instant> until) {
    lock.lock();
    try {
      if (latest != null || woken || closed) {
        return;
      }
      if (until.isEmpty()) {
        something.await();
        return;
      }
      Duration wait = Duration.between(clock.instant(), until.get());
      if (wait.compareTo(LONGEST_SLEEP) > 0) {
        wait = LONGEST_SLEEP;
      }
      if (wait.isPositive()) {
        something.await(wait.toNanos(), TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      closed = true; // only whoever ends the process interrupts a loop
    } finally {
      lock.unlock();
    }
  }

  /** Ends the loop after what it is doing, and waits for that. */
  @Override
  public void close() {
    try {
      listening.close();
    } catch (Exception e) {
      throw new IllegalStateException("a view's listener that cannot be removed", e);
    }
    lock.lock();
    try {
      closed = true;
      something.signalAll();
      while (runner != null && runner != Thread.currentThread() && !ended) {
        something.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }
}
