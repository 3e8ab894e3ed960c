package dev.skep.skepd.sim;

import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.runtime.loop.StoreTerms;
import dev.skep.state.ChangeSet;
import java.util.ArrayList;
import java.util.List;

/** Change sets as one transaction of the store. */
final class Transactions {
  private Transactions() {}

  static Transaction of(List<ChangeSet> sets) {
    List<Compare> compares = new ArrayList<>();
    List<Operation> operations = new ArrayList<>();
    for (ChangeSet set : sets) {
      set.guards().forEach(guard -> compares.add(StoreTerms.compare(guard)));
      set.writes().forEach(write -> operations.add(StoreTerms.operation(write)));
    }
    return new Transaction(compares, operations);
  }
}
