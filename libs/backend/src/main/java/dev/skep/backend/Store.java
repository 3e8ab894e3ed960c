package dev.skep.backend;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A revisioned key-value map with compare-and-commit, watches from a revision, and leases. Every commit that changes
 * something makes one new revision for all keys it touches. Calls block; they throw {@link StoreException} when the store cannot be reached,
 * and then a commit's fate is unknown: it may still land later.
 */
public interface Store extends AutoCloseable {
  /** A key's current value and the revisions at which it was created and last changed. */
  record Entry(String key, byte[] value, long createRevision, long modRevision) {}

  /** All entries under a prefix, in key order, as they were at {@code revision}. */
  record Snapshot(long revision, List<Entry> entries) {}

  /** Writes that land together, if all comparisons hold. */
  record Transaction(List<Compare> compares, List<Operation> operations) {
    /** Of operations, and of comparisons; every backend takes as many. */
    public static final int MOST = 128;

    public Transaction {
      compares = List.copyOf(compares);
      operations = List.copyOf(operations);
    }

    /** Throws {@link IllegalArgumentException} for what no backend takes: too many operations, or a key that is written twice. */
    public void requireValid() {
      if (operations.size() > MOST || compares.size() > MOST) {
        throw new IllegalArgumentException("a transaction of " + operations.size() + " operations and " + compares.size()
            + " comparisons; " + MOST + " of each is the most");
      }
      Set<String> keys = new HashSet<>();
      for (Operation operation : operations) {
        if (!keys.add(operation.key())) {
          throw new IllegalArgumentException("a transaction that writes " + operation.key() + " twice");
        }
      }
    }
  }

  /** What must hold of a key. */
  sealed interface Compare {
    String key();

    /** The key was last changed at this revision; 0 means that it does not exist. */
    record ModRevision(String key, long revision) implements Compare {}

    record Exists(String key) implements Compare {}
  }

  /** One write. */
  sealed interface Operation {
    String key();

    /** {@code leaseId} 0: no lease. */
    record Put(String key, byte[] value, long leaseId) implements Operation {
      public Put(String key, byte[] value) {
        this(key, value, 0);
      }
    }

    record Delete(String key) implements Operation {}
  }

  /** What became of a transaction. */
  sealed interface Outcome {
    /** It is durable, at this revision; one that changed nothing, at the store's. */
    record Committed(long revision) implements Outcome {}

    /** A comparison did not hold; nothing was written. {@code revision}: the store's at that moment. */
    record Conflict(long revision) implements Outcome {}
  }

  /** One changed key inside a revision; {@code value} is null when it was deleted, and {@code createRevision} then means nothing. */
  record Change(String key, byte[] value, long createRevision, long modRevision) {}

  /** Receives a watch's changes: one call per revision, in order, never concurrently, on a thread of the store. */
  interface Watcher {
    void changed(long revision, List<Change> changes);

    /** The asked revision is gone: read everything and watch anew. The watch is over. */
    void compacted(long oldestRevision);
  }

  /** An open watch. */
  interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * A lease: keys put with it vanish when it is not kept alive for its duration, which a store may round up. Keeping
   * alive is the store's work.
   */
  interface Lease extends AutoCloseable {
    long id();

    /** False once the store let it expire, or may have: never later than that. */
    boolean alive();

    /** Revokes it: its keys are deleted at once. */
    @Override
    void close();
  }

  /** The newest revision of any key: linearizable. A store that never held anything is at 0, or where its backend begins to count. */
  long revision();

  Optional<Entry> get(String key);

  Snapshot read(String prefix);

  /** As the store was at an earlier revision. Throws {@link CompactedException} when that is gone. */
  Snapshot readAt(String prefix, long revision);

  Outcome commit(Transaction transaction);

  /**
   * All changes under the prefix from {@code fromRevision} on, first the past ones and then new ones as they come. From
   * the very revision to which the store is compacted, a backend may as well say that it is compacted.
   */
  Watch watch(String prefix, long fromRevision, Watcher watcher);

  Lease lease(Duration timeToLive);

  /** Forgets what was before this revision: the past can be neither read nor watched any more. */
  void compact(long revision);

  @Override
  void close();
}
