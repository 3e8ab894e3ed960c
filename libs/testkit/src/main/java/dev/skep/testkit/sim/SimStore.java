package dev.skep.testkit.sim;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * The store. Its contents are one {@link ClusterState} per revision, which all views share. Commits arrive late, twice,
 * or not at all, and their answers get lost; what it holds is always right.
 */
public final class SimStore {
  /** How long a client waits before it calls a commit's fate unknown. */
  private static final Duration PATIENCE = Duration.ofMillis(400);
  private static final Duration QUICKEST = Duration.ofNanos(80_000);
  private static final Duration USUAL = Duration.ofMillis(2);

  /** One commit that landed: who sent it, and what it did. */
  public record Landed(String writer, long revision, ClusterState before, ClusterState after, List<RowChange> changes) {}

  /** May change what is compared or written; for planted bugs. */
  public interface Tamper {
    Transaction tamper(String writer, Transaction transaction);
  }

  private final World world;
  private final Faults faults;
  private final List<ClusterState.Step> history = new ArrayList<>(); // index: revision
  private final List<Consumer<Landed>> watchers = new ArrayList<>();
  private final List<Consumer<Landed>> views = new ArrayList<>();
  private final SimLeases leases = new SimLeases(this);
  private final Set<SimProcess> cut = new HashSet<>();
  private Tamper tamper = (writer, transaction) -> transaction;
  private final List<LongConsumer> compactions = new ArrayList<>();
  private int life;
  private long oldest;
  private long forgotten;

  public SimStore(World world, Faults faults) {
    this.world = world;
    this.faults = faults;
    history.add(new ClusterState.Step(ClusterState.empty(), List.of()));
  }

  Faults.Rates rates() {
    return faults.rates();
  }

  World world() {
    return world;
  }

  /** Whose leases live. */
  public SimLeases leases() {
    return leases;
  }

  /** Nothing that this process sends arrives here, and it hears nothing. */
  public void cut(SimProcess process) {
    process.note("is cut off from the store");
    cut.add(process);
  }

  public void heal(SimProcess process) {
    cut.remove(process);
  }

  public void healAll() {
    cut.clear();
  }

  /** Whether it and the process hear each other. */
  public boolean reaches(SimProcess process) {
    return !cut.contains(process);
  }

  public void tamperWith(Tamper how) {
    tamper = how;
  }

  /** As {@link #watch}, for somebody who looks at one life of the store. */
  void follow(Consumer<Landed> watcher) {
    views.add(watcher);
    watchers.add(watcher);
  }

  void unfollow(Consumer<Landed> watcher) {
    views.remove(watcher);
    watchers.remove(watcher);
  }

  /** Called within every commit, in order. */
  public void watch(Consumer<Landed> watcher) {
    watchers.add(watcher);
  }

  public long revision() {
    return history.size() - 1;
  }

  public ClusterState state() {
    return history.getLast().state();
  }

  /** The state at a revision, and what that revision changed. */
  public ClusterState.Step at(long revision) {
    return history.get((int) revision);
  }

  /** The oldest revision at which a view may begin. */
  public long oldest() {
    return oldest;
  }

  /**
   * An empty store takes the place of this one: what was still on its way here is lost, and revisions begin anew. Nobody may
   * be looking at it.
   */
  public void replace() {
    world.note("store", "is lost at " + revision() + "; an empty one takes its place");
    history.clear();
    history.add(new ClusterState.Step(ClusterState.empty(), List.of()));
    oldest = 0;
    forgotten = 0;
    watchers.removeAll(views);
    views.clear();
    leases.forget();
    life++;
  }

  /** It has been filled: whoever looks sees at least what is there now, for before that nothing there has a meaning. */
  public void filled() {
    oldest = revision();
  }

  /** It forgets what was before this revision, when it hears of it. The answer is whether it did. */
  public void compact(SimProcess from, long revision, Consumer<Boolean> answer) {
    if (!reaches(from) || world.chance(faults.rates().commitLost())) {
      from.after(PATIENCE, () -> answer.accept(false));
      return;
    }
    int sender = from.life();
    int here = life;
    world.after(world.between(QUICKEST, USUAL), () -> {
      if (life == here) {
        compactions.forEach(listener -> listener.accept(revision));
        forgotten = Math.max(forgotten, revision);
        world.after(world.between(QUICKEST, USUAL), () -> from.inLife(sender, () -> answer.accept(true)));
      }
    });
  }

  /** Called with the revision before which the store is about to forget. */
  public void onCompaction(LongConsumer listener) {
    compactions.add(listener);
  }

  /** What was before this revision is forgotten: neither watched nor read any more. */
  public long forgotten() {
    return forgotten;
  }

  /** Commits now, without any fault. {@code writer} is who did it, for the invariants. */
  public Outcome commit(String writer, Transaction sent) {
    Transaction transaction = tamper.tamper(writer, sent);
    ClusterState before = state();
    for (Compare compare : transaction.compares()) {
      if (!holds(before, compare)) {
        world.note("store", writer + " conflicts on " + compare.key());
        return new Outcome.Conflict(revision());
      }
    }
    leases.attach(transaction.operations());
    long revision = revision() + 1;
    List<ClusterState.Stored> changes = new ArrayList<>(transaction.operations().size());
    for (Operation operation : transaction.operations()) {
      changes.add(stored(before, operation, revision));
    }
    ClusterState.Step step = before.apply(revision, changes);
    history.add(step);
    note(writer, revision, step.changes());
    Landed landed = new Landed(writer, revision, before, step.state(), step.changes());
    for (int i = 0; i < watchers.size(); i++) {
      watchers.get(i).accept(landed);
    }
    return new Outcome.Committed(revision);
  }

  private void note(String writer, long revision, List<RowChange> changes) {
    StringBuilder text = new StringBuilder(writer).append(" commits ").append(revision).append(':');
    for (RowChange change : changes) {
      if (!change.of(Rows.LEADER)) {
        text.append(change.after() == null ? " -" : change.before() == null ? " +" : " ~").append(change.key().path());
      }
    }
    world.note("store", text.toString());
  }

  private static boolean holds(ClusterState state, Compare compare) {
    Row<?> row = state.row(Rows.keyOf(compare.key()).orElseThrow());
    return switch (compare) {
      case Compare.Exists _ -> row != null;
      case Compare.ModRevision mod -> (row == null ? 0 : row.modRevision()) == mod.revision();
    };
  }

  private static ClusterState.Stored stored(ClusterState before, Operation operation, long revision) {
    return switch (operation) {
      case Operation.Delete delete -> new ClusterState.Stored(delete.key(), null, 0, revision);
      case Operation.Put put -> {
        Row<?> row = before.row(Rows.keyOf(put.key()).orElseThrow());
        yield new ClusterState.Stored(put.key(), put.value(), row == null ? revision : row.createRevision(), revision);
      }
    };
  }

  /** A commit over the wire. The answer is empty when its fate is unknown: it may have landed, or land yet. */
  public void submit(SimProcess from, String writer, Transaction transaction, Consumer<Optional<Outcome>> answer) {
    Faults.Rates rates = faults.rates();
    Duration there = world.between(QUICKEST, USUAL);
    if (!reaches(from) || world.chance(rates.commitLost())) {
      from.note("commit of " + writer + " is lost");
      from.after(PATIENCE, () -> answer.accept(Optional.empty()));
    } else if (world.chance(rates.answerLost())) {
      from.note("answer to a commit of " + writer + " is lost");
      late(there, writer, transaction);
      from.after(PATIENCE, () -> answer.accept(Optional.empty()));
    } else if (world.chance(rates.commitLate())) {
      from.note("commit of " + writer + " is on its way for long");
      late(PATIENCE.plus(world.between(Duration.ZERO, Faults.LATEST_COMMIT)), writer, transaction);
      from.after(PATIENCE, () -> answer.accept(Optional.empty()));
    } else {
      int senders = from.life();
      int here = life;
      world.after(there, () -> {
        if (life == here) {
          Optional<Outcome> outcome = land(writer, transaction);
          Duration back = world.between(QUICKEST, USUAL);
          world.after(back, () -> from.inLife(senders, () -> answer.accept(outcome)));
        }
      });
      if (world.chance(rates.commitTwice())) {
        late(there.plus(world.between(QUICKEST, USUAL)), writer, transaction);
      }
    }
  }

  /** Empty when the store refuses it, because a lease of its has ended: to whoever sent it that is as good as unknown. */
  private Optional<Outcome> land(String writer, Transaction transaction) {
    if (!leases.live(transaction.operations())) {
      world.note("store", "refuses " + writer + ": its lease has ended");
      return Optional.empty();
    }
    return Optional.of(commit(writer, transaction));
  }

  private void late(Duration delay, String writer, Transaction transaction) {
    int here = life;
    world.after(delay, () -> {
      if (life == here) {
        land(writer, transaction);
      }
    });
  }

  /** A linearizable read over the wire. The outer optional is empty when no answer came. */
  public void read(SimProcess from, String key, Consumer<Optional<Optional<Store.Entry>>> answer) {
    if (!reaches(from) || world.chance(faults.rates().commitLost())) {
      from.after(PATIENCE, () -> answer.accept(Optional.empty()));
      return;
    }
    int life = from.life();
    world.after(world.between(QUICKEST, USUAL), () -> {
      Optional<Store.Entry> entry = entry(key);
      world.after(world.between(QUICKEST, USUAL), () -> from.inLife(life, () -> answer.accept(Optional.of(entry))));
    });
  }

  /**
   * All rows at once, over the wire; 0: as they are now. Empty within when the store has forgotten them, and outside when no
   * answer came.
   */
  public void readAll(SimProcess from, long revision, Consumer<Optional<Optional<ClusterState>>> answer) {
    if (!reaches(from) || world.chance(faults.rates().commitLost())) {
      from.after(PATIENCE, () -> answer.accept(Optional.empty()));
      return;
    }
    int sender = from.life();
    world.after(world.between(QUICKEST, USUAL), () -> {
      boolean there = revision == 0 || revision >= forgotten && revision <= revision();
      Optional<ClusterState> rows = there ? Optional.of(revision == 0 ? state() : at(revision).state()) : Optional.empty();
      world.after(world.between(QUICKEST, USUAL), () -> from.inLife(sender, () -> answer.accept(Optional.of(rows))));
    });
  }

  private Optional<Store.Entry> entry(String key) {
    Row<?> row = state().row(Rows.keyOf(key).orElseThrow());
    return row == null
        ? Optional.empty()
        : Optional.of(new Store.Entry(key, row.value().toByteArray(), row.createRevision(), row.modRevision()));
  }
}
