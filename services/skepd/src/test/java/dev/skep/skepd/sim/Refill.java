package dev.skep.skepd.sim;

import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.moving.core.Copy;
import dev.skep.moving.core.Filling;
import dev.skep.moving.core.Target;
import dev.skep.moving.core.Verdict;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.Violation;
import dev.skep.testkit.sim.World;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** {@code skep restore} and {@code skep migrate}: an empty store is filled with a copy of the one before, in the product's steps. */
final class Refill {
  /** Who fills a store, for the laws. */
  static final String WRITER = "filler";

  private static final List<Compare> NO_CLUSTER = List.of(new Compare.ModRevision(Rows.cluster().path(), 0));

  private final SimStore store;
  private final World world;
  private final Mutant mutant;
  private final RandomGenerator random;
  private int epochs = 1;

  Refill(SimCluster cluster) {
    this.store = cluster.store();
    this.world = cluster.world();
    this.mutant = cluster.mutant();
    this.random = world.split();
  }

  /** The copy at this revision becomes all that there is. Nobody may be looking at the store. */
  void fill(long revision, boolean unconfirmed) {
    Copy copy = good(Copy.of(revision, rows(store.at(revision).state()), world.now()));
    String epoch = mutant == Mutant.MOVED_UNDER_OLD_EPOCH ? copy.cluster().getEpoch() : "epoch-" + ++epochs;
    ClusterRow cluster = copy.reborn(epoch, unconfirmed);
    store.replace();
    while (!pour(copy)) {
      world.note(WRITER, "is cut short, and begins again");
    }
    put(new Stored(Rows.cluster().path(), cluster.toByteArray(), 0, 0));
    store.filled();
  }

  private static Copy good(Verdict<Copy> verdict) {
    return switch (verdict) {
      case Verdict.Good<Copy>(Copy copy) -> copy;
      case Verdict.Refused<Copy>(String reason) -> throw new Violation("the store cannot be copied: " + reason);
    };
  }

  /** False when it was killed on the way. */
  private boolean pour(Copy copy) {
    if (!(Target.of(rows(store.state()), copy) instanceof Target.Vacant(List<String> leftovers))) {
      throw new Violation("a store without a cluster is not taken for empty: " + Target.of(rows(store.state()), copy));
    }
    if (!leftovers.isEmpty()) {
      commit(leftovers.stream().<Operation>map(Operation.Delete::new).toList());
    }
    for (List<Stored> step : Filling.steps(copy)) {
      if (random.nextInt(20) == 0) {
        return false;
      }
      put(step.toArray(Stored[]::new));
    }
    String digest = good(Copy.of(copy.revision(), with(copy), copy.copiedAt())).digest();
    if (!digest.equals(copy.digest())) {
      throw new Violation("the store holds something else than was poured into it");
    }
    return true;
  }

  /** What the store holds, and the cluster's row, which does not count. */
  private List<Stored> with(Copy copy) {
    List<Stored> rows = rows(store.state());
    rows.add(new Stored(Rows.cluster().path(), copy.cluster().toByteArray(), 1, 1));
    return rows;
  }

  private void put(Stored... rows) {
    commit(List.of(rows).stream().<Operation>map(row -> new Operation.Put(row.path(), row.value())).toList());
  }

  private void commit(List<Operation> operations) {
    if (!(store.commit(WRITER, new Transaction(NO_CLUSTER, operations)) instanceof Outcome.Committed)) {
      throw new Violation("a store that nobody uses refuses what is poured into it");
    }
  }

  private static List<Stored> rows(ClusterState state) {
    List<Stored> rows = new ArrayList<>(state.size());
    Rows.all().forEach(kind -> state.rows(kind).forEach(row -> rows.add(stored(row))));
    return rows;
  }

  private static Stored stored(Row<?> row) {
    return new Stored(row.key().path(), row.value().toByteArray(), row.createRevision(), row.modRevision());
  }
}
