package dev.skep.moving.shell;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.moving.core.Copy;
import dev.skep.moving.core.Filling;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Fills a store with a copy. The cluster's own row comes last, when everything else was read back and is right: it makes
 * of the rows a cluster. Every step asks that it is not there yet, so two that fill the same store cannot both succeed.
 */
final class Filler {
  private static final int ATTEMPTS = 20;
  private static final Duration PAUSE = Duration.ofMillis(500);
  private static final int DELETES = 100;
  private static final List<Compare> NO_CLUSTER = List.of(new Compare.ModRevision(Rows.cluster().path(), 0));

  private final Store store;
  private final String name;

  /** @param name for messages */
  Filler(Store store, String name) {
    this.store = store;
    this.name = name;
  }

  /** What the store holds. */
  static List<Stored> rows(Store.Snapshot snapshot) {
    return snapshot.entries().stream()
        .map(entry -> new Stored(entry.key(), entry.value(), entry.createRevision(), entry.modRevision()))
        .toList();
  }

  void fill(Copy copy, ClusterRow cluster, List<String> leftovers) throws Refusal {
    for (int from = 0; from < leftovers.size(); from += DELETES) {
      List<String> keys = leftovers.subList(from, Math.min(from + DELETES, leftovers.size()));
      commit(keys.stream().<Operation>map(Operation.Delete::new).toList());
    }
    for (List<Stored> step : Filling.steps(copy)) {
      commit(step.stream().<Operation>map(row -> new Operation.Put(row.path(), row.value())).toList());
    }
    if (!new Copy(0, copy.copiedAt(), rows(store.read(""))).digest().equals(copy.digest())) {
      throw new Refusal(name + " holds something else than was written to it: is another program writing there? It is not in use yet; run this again");
    }
    commit(List.of(new Operation.Put(Rows.cluster().path(), cluster.toByteArray())));
  }

  /** A write that was heard of as failed may have landed, and may be written again: nobody else writes here. */
  private void commit(List<Operation> operations) throws Refusal {
    for (int attempt = 1; ; attempt++) {
      try {
        Outcome outcome = store.commit(new Transaction(NO_CLUSTER, operations));
        if (outcome instanceof Outcome.Conflict && !landed(operations)) {
          throw new Refusal(name + " is being used by somebody else: a cluster appeared in it");
        }
        return;
      } catch (StoreException e) {
        if (attempt == ATTEMPTS) {
          throw new Refusal(name + " does not take what is written (" + e.getMessage() + "). It is not in use yet; run this again");
        }
        pause();
      }
    }
  }

  /** The cluster's row is our own, put by an attempt that seemed to fail. */
  private boolean landed(List<Operation> operations) {
    return operations.getFirst() instanceof Operation.Put put
        && put.key().equals(Rows.cluster().path())
        && store.get(put.key()).filter(entry -> Arrays.equals(entry.value(), put.value())).isPresent();
  }

  private static void pause() throws Refusal {
    try {
      TimeUnit.NANOSECONDS.sleep(PAUSE.toNanos());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refusal("interrupted; run this again");
    }
  }
}
