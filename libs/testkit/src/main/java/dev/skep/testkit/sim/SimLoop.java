package dev.skep.testkit.sim;

import dev.skep.backend.Store.Outcome;
import dev.skep.runtime.loop.Action;
import dev.skep.runtime.loop.LoopCore;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.IdSource;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/** Carries out what the real {@link LoopCore} asks for, in virtual time, for one life of a process. */
public final class SimLoop {
  private static final Duration LONGEST_SLEEP = Duration.ofSeconds(30);
  private static final Duration AT_ONCE = Duration.ofNanos(20_000);

  private final SimProcess process;
  private final SimStore store;
  private final SimView view;
  private final String name;
  private final LoopCore core;
  private final String writer;
  private final BiConsumer<String, String> quarantined;
  private final Optional<SimLease> lease;
  private boolean busy;
  private boolean planned;
  private boolean resting; // as the real driver does
  private final Predicate<ClusterState> concerned;
  private long timers;

  /**
   * @param holder the random id of this life of the process
   * @param lease on which its row hangs; empty: no other live process can hold the row
   * @param concerned while it does not hold the loop rests
   * @param quarantined is told of objects that the decider failed on
   */
  public SimLoop(
      SimProcess process, SimStore store, SimView view, String name, String holder, Optional<SimLease> lease, Decider decider,
      Predicate<ClusterState> concerned, BiConsumer<String, String> quarantined) {
    this.process = process;
    this.store = store;
    this.view = view;
    this.name = name;
    this.writer = name + "@" + holder;
    this.quarantined = quarantined;
    this.lease = lease;
    this.concerned = concerned;
    lease.ifPresent(one -> one.listen(this::plan));
    this.core = new LoopCore(name, new LoopCore.Candidate(holder, process.name(), lease.isEmpty()), decider, new IdSource(process.world().split()));
    view.listen((state, changes, reset) -> {
      core.viewMoved(state, changes, reset);
      resting = !concerned.test(state);
      plan();
    });
  }

  public LoopCore core() {
    return core;
  }

  /** The connection to this holder was refused: its row may be taken. */
  public void holderEnded(String holder) {
    Row<LeaderRow> row = view.state().row(Rows.LEADER.key(name));
    if (row != null && row.value().getHolder().equals(holder)) {
      core.holderGone(row.modRevision());
      plan();
    }
  }

  public void wake() {
    core.wake();
    plan();
  }

  private void plan() {
    if (!planned && !busy) {
      planned = true;
      process.after(AT_ONCE, this::run);
    }
  }

  private void run() {
    planned = false;
    if (busy) {
      return;
    }
    lease.ifPresent(one -> core.stands(one.id().stream().mapToObj(id -> new LoopCore.Standing(process.name(), id)).findFirst()));
    if (resting) {
      core.rest();
      return;
    }
    Action action = core.next(process.now());
    core.quarantined().forEach(quarantined);
    switch (action) {
      case Action.Commit commit -> {
        busy = true;
        store.submit(process, writer, commit.transaction(), this::answered);
      }
      case Action.ReadLeader read -> {
        busy = true;
        store.read(process, read.key(), answer -> {
          busy = false;
          answer.ifPresentOrElse(core::leaderRead, core::leaderReadFailed);
          plan();
        });
      }
      case Action.Sleep sleep -> sleep.until().ifPresent(this::wakeAt);
    }
  }

  private void answered(Optional<Outcome> outcome) {
    busy = false;
    outcome.ifPresentOrElse(core::committed, core::unknown);
    plan();
  }

  private void wakeAt(Instant until) {
    long timer = ++timers;
    // Sleeping is measured by a clock that does not jump, looking again at the wall clock now and then, as the real driver does.
    Duration wait = Duration.between(process.now(), until);
    Duration bounded = wait.compareTo(LONGEST_SLEEP) > 0 ? LONGEST_SLEEP : wait.isNegative() ? AT_ONCE : wait;
    process.after(bounded, () -> {
      if (timer == timers) {
        plan();
      }
    });
  }
}
