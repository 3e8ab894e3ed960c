package dev.skep.testkit.sim;

import dev.skep.runtime.View.Listener;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

/**
 * A process's view of the store: behind by a little, at times by seconds; it goes forward revision by revision, and at
 * times loses the past and begins anew. It lives as long as one life of its process.
 */
public final class SimView {
  private static final Duration QUICKEST = Duration.ofNanos(50_000);
  private static final Duration USUAL = Duration.ofMillis(2);
  private static final Duration LONGEST_STALL = Duration.ofSeconds(3);
  private static final int OLDEST_START = 25;
  private static final int LAGGING_START = 3;

  private final World world;
  private final Faults faults;
  private final SimStore store;
  private final SimProcess process;
  private final List<Listener> listeners = new ArrayList<>();
  private LongPredicate swallow = revision -> false;
  private ClusterState state;
  private long revision;
  private boolean swallowed;
  private boolean moving;

  public SimView(World world, Faults faults, SimStore store, SimProcess process) {
    this.world = world;
    this.faults = faults;
    this.store = store;
    this.process = process;
    // A snapshot may come from a replica that lags, and the log may be silent for a while after it.
    boolean old = world.chance(LAGGING_START * faults.rates().viewStalls());
    int back = old ? world.random().nextInt(OLDEST_START) : 0;
    this.revision = Math.max(store.oldest(), store.revision() - back);
    this.state = store.at(revision).state();
    Consumer<SimStore.Landed> follower = landed -> hurry();
    store.follow(follower);
    process.onDeath(() -> store.unfollow(follower));
    if (old) {
      moving = true;
      process.after(world.between(USUAL, LONGEST_STALL), this::move);
    } else {
      hurry();
    }
  }

  /** For a planted bug: revisions that the view never shows as changes. */
  public void swallow(LongPredicate which) {
    swallow = which;
  }

  public ClusterState state() {
    return state;
  }

  public void listen(Listener listener) {
    listeners.add(listener);
    process.after(Duration.ZERO, () -> listener.moved(state, List.of(), true));
  }

  private void hurry() {
    if (moving || revision >= store.revision()) {
      return;
    }
    moving = true;
    boolean stalls = world.chance(faults.rates().viewStalls());
    process.after(stalls ? world.between(USUAL, LONGEST_STALL) : world.between(QUICKEST, USUAL), this::move);
  }

  private void move() {
    if (!store.reaches(process)) {
      process.after(USUAL.multipliedBy(20), this::move);
      return;
    }
    moving = false;
    long target = store.revision();
    if (world.chance(faults.rates().viewReset())) {
      process.note("view begins anew at " + target);
      revision = target;
      state = store.at(target).state();
      swallowed = false;
      listeners.forEach(listener -> listener.moved(state, List.of(), true));
    } else if (target > revision) {
      long until = world.chance(faults.rates().viewStalls()) ? world.random().nextLong(revision + 1, target + 1) : target;
      while (revision < until) {
        forward();
      }
    }
    hurry();
  }

  private void forward() {
    revision++;
    ClusterState.Step step = store.at(revision);
    if (swallow.test(revision)) {
      process.note("view misses " + revision);
      swallowed = true;
      return;
    }
    ClusterState.Step own = swallowed ? state.apply(revision, stored(step.changes(), revision)) : step;
    state = own.state();
    listeners.forEach(listener -> listener.moved(state, own.changes(), false));
  }

  private static List<ClusterState.Stored> stored(List<RowChange> changes, long revision) {
    List<ClusterState.Stored> all = new ArrayList<>(changes.size());
    for (RowChange change : changes) {
      Row<?> after = change.after();
      byte[] bytes = after == null ? null : after.value().toByteArray();
      all.add(new ClusterState.Stored(change.key().path(), bytes, after == null ? 0 : after.createRevision(), revision));
    }
    return all;
  }
}
