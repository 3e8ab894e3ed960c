package dev.skep.runtime.loop;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.View;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Drives a {@link LoopCore} on one thread: feeds it the view, does what it says, sleeps when it says so. */
public final class ThreadedLoop implements ControlLoop, Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(ThreadedLoop.class);
  private static final Duration LONGEST_SLEEP = Duration.ofSeconds(5); // the wall clock may have been set meanwhile
  private static final int MOST_CHANGES = 50_000;

  private final String name;
  private final LoopCore core;
  private final Store store;
  private final Clock clock;
  private final Predicate<ClusterState> concerned;
  private final Candidacy candidacy;
  private final Runnable changed;
  private final Key<LeaderRow> leader;
  private final LoopMetrics.OfLoop metrics;
  private final AutoCloseable listening;

  private boolean resting; // known to the loop's thread only
  private Row<LeaderRow> held; // the leader row as last seen; known to the loop's thread only
  private volatile OptionalLong won = OptionalLong.empty();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition something = lock.newCondition();
  // the inbox, under the lock
  private ClusterState latest;
  private List<RowChange> changes = new ArrayList<>();
  private boolean reset;
  private boolean woken;
  private boolean looking;
  private boolean closed;
  private boolean ended;
  private Thread runner;

  /**
   * @param concerned while it does not hold the loop neither decides nor wants to lead, and writes nothing
   * @param changed runs on the loop's thread when this loop begins to lead, and when it leads no more
   */
  public ThreadedLoop(
      String name, LoopCore core, Store store, View view, Clock clock, Predicate<ClusterState> concerned, Candidacy candidacy,
      Runnable changed, LoopMetrics metrics) {
    this.name = name;
    this.core = core;
    this.store = store;
    this.clock = clock;
    this.concerned = concerned;
    this.candidacy = candidacy;
    this.changed = changed;
    this.leader = Rows.LEADER.key(name);
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

  @Override
  public OptionalLong won() {
    return candidacy.standing().isPresent() ? won : OptionalLong.empty();
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
          tell();
          sleep(Optional.empty());
          continue;
        }
        heedOthers();
        long began = System.nanoTime();
        Action action = core.next(clock.instant());
        metrics.stepped(core, System.nanoTime() - began);
        tell();
        switch (action) {
          case Action.Commit commit -> commit(commit);
          case Action.ReadLeader read -> read(read);
          case Action.Sleep sleep -> sleep(sleep.until());
        }
      }
    } finally {
      won = OptionalLong.empty();
      lock.lock();
      try {
        ended = true;
        something.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  private void heedOthers() {
    core.stands(candidacy.standing());
    if (held != null && candidacy.gone(held.value().getHolder())) {
      core.holderGone(held.modRevision());
    }
  }

  private void tell() {
    boolean before = won.isPresent();
    won = core.won();
    if (won.isPresent() != before) {
      metrics.leads(!before);
      if (candidacy.contested()) {
        LOG.info("loop {}: {}", name, before ? "this process holds it no more" : "this process holds it");
      }
      changed.run();
    }
  }

  /** Something that the candidacy tells is different now. */
  public void look() {
    lock.lock();
    try {
      looking = true;
      something.signal();
    } finally {
      lock.unlock();
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
      looking = false;
    } finally {
      lock.unlock();
    }
    if (state != null) {
      resting = !concerned.test(state);
      held = state.row(leader);
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
      if (latest != null || woken || looking || closed) {
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
