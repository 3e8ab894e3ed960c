package dev.skep.testkit.sim;

import dev.skep.backend.LogEntry;
import dev.skep.backend.Store;
import dev.skep.runtime.View.Listener;
import dev.skep.runtime.view.Following;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongPredicate;

/**
 * A process's view of the store: behind by a little, at times by seconds; it goes forward revision by revision, and at
 * times loses the past and begins anew. It lives as long as one life of its process. It follows the store's watch, or the
 * event log and, while that is late, also the watch.
 */
public final class SimView {
  private static final Duration QUICKEST = Duration.ofNanos(50_000);
  private static final Duration USUAL = Duration.ofMillis(2);
  private static final Duration LONGEST_STALL = Duration.ofSeconds(3);
  private static final int OLDEST_START = 25;
  private static final int LAGGING_START = 3;
  private static final Duration LOOK = Duration.ofMillis(100); // at the log's lateness, as the real view does
  private static final Duration AGAIN = Duration.ofMillis(40);

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
  private final Optional<SimLog> log;
  private final Following following;
  private boolean watching; // the store
  private boolean reading; // the log
  private int next; // in the log
  private boolean gapsTaken;

  /** A view that follows the store. */
  public SimView(World world, Faults faults, SimStore store, SimProcess process) {
    this(world, faults, store, Optional.empty(), process);
  }

  /** A view that follows the log, if there is one. */
  public SimView(World world, Faults faults, SimStore store, Optional<SimLog> log, SimProcess process) {
    this.world = world;
    this.faults = faults;
    this.store = store;
    this.process = process;
    // A snapshot may come from a replica that lags, and the log may be silent for a while after it.
    boolean old = world.chance(LAGGING_START * faults.rates().viewStalls());
    int back = old ? world.random().nextInt(OLDEST_START) : 0;
    this.revision = Math.max(store.oldest(), store.revision() - back);
    this.state = store.at(revision).state();
    this.log = log;
    this.following = new Following(revision, world.elapsed().toNanos());
    this.watching = log.isEmpty();
    log.ifPresent(this::read);
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

  /** For a planted bug: a record of the log is applied though it does not go on from where the view is. */
  public void takeGaps() {
    gapsTaken = true;
  }

  public ClusterState state() {
    return state;
  }

  public void listen(Listener listener) {
    listeners.add(listener);
    process.after(Duration.ZERO, () -> listener.moved(state, List.of(), true));
  }

  // ---- the log ----

  private void read(SimLog from) {
    next = from.size();
    while (next > 0 && from.at(next - 1).revision() > revision) {
      next--;
    }
    from.follow(process, () -> pump(from));
    pump(from);
    look();
  }

  private void pump(SimLog from) {
    if (!reading) {
      reading = true;
      boolean stalls = world.chance(faults.rates().viewStalls());
      process.after(stalls ? world.between(USUAL, LONGEST_STALL) : world.between(QUICKEST, USUAL), () -> take(from));
    }
  }

  private void take(SimLog from) {
    if (!from.reaches(process)) {
      process.after(AGAIN, () -> take(from));
      return;
    }
    reading = false;
    int until = world.chance(faults.rates().viewStalls()) && next < from.size() ? world.random().nextInt(next, from.size()) : from.size();
    while (next < until) {
      if (from.at(next++) instanceof LogEntry.Changes record) {
        take(record);
      }
    }
    if (next < from.size()) {
      pump(from);
    }
  }

  private void take(LogEntry.Changes record) {
    Following.Fate fate = Following.fate(state, record.epoch(), record.revision(), record.previous());
    if (fate == Following.Fate.NEXT && record.revision() == revision + 1) {
      forward(); // the log has what the store had: its laws see to that
    } else if (fate == Following.Fate.NEXT || fate == Following.Fate.GAP && gapsTaken) {
      revision = record.revision();
      swallowed = true;
      apply(state.apply(revision, stored(record.changes())));
    }
    if (fate == Following.Fate.NEXT || fate == Following.Fate.KNOWN) {
      following.logAt(record.revision(), nanos());
    }
  }

  private static List<ClusterState.Stored> stored(List<Store.Change> changes) {
    return changes.stream()
        .map(change -> new ClusterState.Stored(change.key(), change.value(), change.createRevision(), change.modRevision()))
        .toList();
  }

  /** Every now and then: how far is the store, and is the log late? */
  private void look() {
    process.after(LOOK, this::look);
    if (!watching && store.reaches(process)) {
      long there = store.revision();
      process.after(world.between(QUICKEST, USUAL), () -> following.storeAt(there, nanos()));
    }
    choose();
  }

  private void choose() {
    boolean wanted = following.watching(nanos());
    if (wanted != watching) {
      watching = wanted;
      hurry();
    }
  }

  private long nanos() {
    return world.elapsed().toNanos();
  }

  // ---- the store's watch ----

  private void hurry() {
    if (!watching || moving || revision >= store.revision()) {
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
    if (!watching) {
      return;
    }
    long target = store.revision();
    following.storeAt(target, nanos());
    if (world.chance(faults.rates().viewReset()) || revision + 1 < store.forgotten()) {
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
    apply(swallowed ? state.apply(revision, stored(step.changes(), revision)) : step);
  }

  private void apply(ClusterState.Step own) {
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
