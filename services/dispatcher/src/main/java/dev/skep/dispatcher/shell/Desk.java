package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The dispatcher's one thread and what waits for it: inputs from calls and moves of the view. Everything that has
 * arrived is worked off before the clock is looked at. The view is never made to wait: when too many moves pile up they
 * are forgotten, and the whole state is looked at once.
 */
final class Desk {
  /** Whose work it is. Called on the desk's thread only. */
  interface Work {
    void moved(ClusterState state, List<RowChange> changes);

    void reset(ClusterState state);

    /** After inputs or moves: send what became due. */
    void flush();

    /** The time has come. Returns when it comes next. */
    Instant tick(Instant now);
  }

  private record Move(ClusterState state, List<RowChange> changes, boolean reset) {}

  private static final Runnable WAKE = () -> {};
  private static final Duration LONGEST_SLEEP = Duration.ofSeconds(1); // a clock that goes back must not stop the ticks

  private final Work work;
  private final Clock clock;
  private final Supplier<ClusterState> newest;
  private final BlockingQueue<Runnable> inputs;
  private final BlockingQueue<Move> moves;
  private volatile boolean overflow;
  private volatile boolean stopped;
  private long revision = -1;

  Desk(Work work, Clock clock, Supplier<ClusterState> newest, DispatcherConfig config) {
    this.work = work;
    this.clock = clock;
    this.newest = newest;
    this.inputs = new ArrayBlockingQueue<>(config.maxEvents());
    this.moves = new ArrayBlockingQueue<>(config.maxPendingMoves());
  }

  /** Runs the input on the desk's thread; the caller waits while too many are waiting. Not for the desk's thread. */
  void run(Runnable input) {
    try {
      boolean taken = false;
      while (!stopped && !taken) {
        taken = inputs.offer(input, 1, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The view's listener: never blocks. */
  void moved(ClusterState state, List<RowChange> changes, boolean reset) {
    if (!moves.offer(new Move(state, changes, reset))) {
      overflow = true;
    }
    inputs.offer(WAKE);
  }

  void stop() {
    stopped = true;
    inputs.offer(WAKE);
  }

  void loop() {
    Instant due = clock.instant();
    try {
      while (!stopped) {
        Duration sleep = Duration.between(clock.instant(), due);
        sleep = sleep.compareTo(LONGEST_SLEEP) > 0 ? LONGEST_SLEEP : sleep;
        Runnable input = sleep.isPositive() ? inputs.poll(sleep.toNanos(), TimeUnit.NANOSECONDS) : inputs.poll();
        for (int waiting = inputs.size(); input != null; waiting--) {
          input.run();
          input = waiting > 0 ? inputs.poll() : null;
        }
        takeMoves();
        work.flush();
        Instant now = clock.instant();
        if (!now.isBefore(due) || due.isAfter(now.plus(LONGEST_SLEEP))) {
          Instant wanted = work.tick(now);
          due = wanted.isAfter(now.plus(LONGEST_SLEEP)) ? now.plus(LONGEST_SLEEP) : wanted;
          work.flush();
        }
      }
    } catch (InterruptedException e) {
      if (!stopped) {
        throw new IllegalStateException("nobody interrupts a dispatcher that runs", e);
      }
    }
  }

  private void takeMoves() {
    if (overflow) {
      overflow = false;
      moves.clear();
      reset(newest.get());
    }
    for (Move move = moves.poll(); move != null; move = moves.poll()) {
      if (move.reset) {
        reset(move.state);
      } else if (move.state.revision() > revision) {
        revision = move.state.revision();
        work.moved(move.state, move.changes);
      }
    }
  }

  private void reset(ClusterState state) {
    if (state.revision() >= revision) {
      revision = state.revision();
      work.reset(state);
    }
  }
}
