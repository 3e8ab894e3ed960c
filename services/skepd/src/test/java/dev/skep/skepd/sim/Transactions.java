package dev.skep.skepd.sim;

import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.state.ChangeSet;
import dev.skep.state.Guard;
import dev.skep.state.Write;
import java.util.ArrayList;
import java.util.List;

/** Change sets as one transaction of the store. */
final class Transactions {
  private Transactions() {}

  static Transaction of(List<ChangeSet> sets) {
    List<Compare> compares = new ArrayList<>();
    List<Operation> operations = new ArrayList<>();
    for (ChangeSet set : sets) {
      for (Guard guard : set.guards()) {
        compares.add(switch (guard) {
          case Guard.Unmodified unmodified -> new Compare.ModRevision(unmodified.key().path(), unmodified.modRevision());
          case Guard.Present present -> new Compare.Exists(present.key().path());
          case Guard.Absent absent -> new Compare.ModRevision(absent.key().path(), 0);
        });
      }
      for (Write write : set.writes()) {
        operations.add(switch (write) {
          case Write.Put<?> put -> new Operation.Put(put.key().path(), put.value().toByteArray());
          case Write.Delete delete -> new Operation.Delete(delete.key().path());
        });
      }
    }
    return new Transaction(compares, operations);
  }
}
