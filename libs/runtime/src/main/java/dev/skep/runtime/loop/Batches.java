package dev.skep.runtime.loop;

import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.state.ChangeSet;
import dev.skep.state.Write;
import dev.skep.state.v1.LeaderRow;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Change sets of one decision, packed in order into transactions. */
final class Batches {
  /** Stores bound the size of a transaction, too; etcd at 1.5 MiB with all that is around the rows. */
  static final int MOST_BYTES = 1 << 20;

  private Batches() {}

  /**
   * Neighbours share a transaction while it has room. A set that touches a key which an earlier one of its transaction
   * writes begins a new one: stores refuse a key written twice, and compare before they write.
   */
  static Deque<List<ChangeSet>> pack(List<ChangeSet> sets) {
    Deque<List<ChangeSet>> batches = new ArrayDeque<>();
    List<ChangeSet> batch = new ArrayList<>();
    Set<String> written = new HashSet<>();
    int writes = 0; // stores bound them and the guards, each for itself
    int guards = 0;
    long bytes = 0;
    for (ChangeSet set : sets) {
      long more = bytes(set);
      boolean full = writes + set.writes().size() > ChangeSet.MAX_OPERATIONS || guards + set.guards().size() > ChangeSet.MAX_OPERATIONS
          || bytes + more > MOST_BYTES;
      if (!batch.isEmpty() && (full || touches(set, written))) {
        batches.add(batch);
        batch = new ArrayList<>();
        written.clear();
        writes = 0;
        guards = 0;
        bytes = 0;
      }
      batch.add(set);
      writes += set.writes().size();
      guards += set.guards().size();
      bytes += more;
      set.writes().forEach(write -> written.add(write.key().path()));
    }
    if (!batch.isEmpty()) {
      batches.add(batch);
    }
    return batches;
  }

  private static long bytes(ChangeSet set) {
    long bytes = 0;
    for (Write write : set.writes()) {
      bytes += write instanceof Write.Put<?> put ? put.value().getSerializedSize() : 0; // protobuf keeps the number for the commit
    }
    return bytes;
  }

  private static boolean touches(ChangeSet set, Set<String> written) {
    return set.writes().stream().anyMatch(write -> written.contains(write.key().path()))
        || set.guards().stream().anyMatch(guard -> written.contains(guard.key().path()));
  }

  /** The store transaction: a link of the chain, the guards, the writes. {@code lease}: on which the leader row hangs; 0: on none. */
  static Transaction transaction(List<ChangeSet> batch, String leaderKey, long chain, LeaderRow next, long lease) {
    Set<Compare> compares = new LinkedHashSet<>();
    compares.add(new Compare.ModRevision(leaderKey, chain));
    List<Operation> operations = new ArrayList<>();
    for (ChangeSet set : batch) {
      set.guards().forEach(guard -> compares.add(StoreTerms.compare(guard)));
      set.writes().forEach(write -> operations.add(StoreTerms.operation(write)));
    }
    operations.add(new Operation.Put(leaderKey, next.toByteArray(), lease));
    return new Transaction(List.copyOf(compares), operations);
  }
}
