package dev.skep.dispatcher.shell;

import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.runtime.loop.StoreTerms;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Guard;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Change sets as store transactions; what several of them compare is compared once. */
final class Batch {
  private Batch() {}

  static boolean touches(ChangeSet change, Set<String> written) {
    return change.writes().stream().anyMatch(write -> written.contains(write.key().path()))
        || change.guards().stream().anyMatch(guard -> written.contains(guard.key().path()));
  }

  /** Of comparisons or of writes, whichever are more: stores bound each. */
  static int operations(List<ChangeSet> changes) {
    Set<Compare> compares = new LinkedHashSet<>();
    changes.forEach(change -> change.guards().forEach(guard -> compares.add(StoreTerms.compare(guard))));
    return Math.max(compares.size(), changes.stream().mapToInt(change -> change.writes().size()).sum());
  }

  /** Whether the guards hold in a state: a decision of an older state may have lost its ground. */
  static boolean holds(ChangeSet change, ClusterState state) {
    return change.guards().stream().allMatch(guard -> holds(guard, state));
  }

  private static boolean holds(Guard guard, ClusterState state) {
    return switch (guard) {
      case Guard.Unmodified unmodified ->
          state.has(unmodified.key()) && state.row(unmodified.key()).modRevision() == unmodified.modRevision();
      case Guard.Present present -> state.has(present.key());
      case Guard.Absent absent -> !state.has(absent.key());
    };
  }

  /** Neighbours share a transaction while it has room. */
  static List<Transaction> transactions(List<ChangeSet> changes) {
    List<Transaction> transactions = new ArrayList<>();
    Set<Compare> compares = new LinkedHashSet<>();
    List<Operation> operations = new ArrayList<>();
    for (ChangeSet change : changes) {
      Set<Compare> more = new LinkedHashSet<>(compares);
      change.guards().forEach(guard -> more.add(StoreTerms.compare(guard)));
      if (!operations.isEmpty() && Math.max(more.size(), operations.size() + change.writes().size()) > ChangeSet.MAX_OPERATIONS) {
        transactions.add(new Transaction(List.copyOf(compares), operations));
        compares.clear();
        operations.clear();
      }
      change.guards().forEach(guard -> compares.add(StoreTerms.compare(guard)));
      change.writes().forEach(write -> operations.add(StoreTerms.operation(write)));
    }
    if (!operations.isEmpty()) {
      transactions.add(new Transaction(List.copyOf(compares), operations));
    }
    return transactions;
  }
}
