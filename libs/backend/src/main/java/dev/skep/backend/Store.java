package dev.skep.backend;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A revisioned key-value map with compare-and-commit, watches from a revision, and leases. Every commit makes one new
 * revision for all keys it touches. Calls block; they throw {@link StoreException} when the store cannot be reached,
 * and then a commit's fate is unknown: it may still land later.
 */
public interface Store extends AutoCloseable {
  /** A key's current value and the revisions at which it was created and last changed. */
  record Entry(String key, byte[] value, long createRevision, long modRevision) {}

  /** All entries under a prefix, in key order, as they were at {@code revision}. */
  record Snapshot(long revision, List<Entry> entries) {}

  /** Writes that land together, if all comparisons hold. At most 128 operations and comparisons together. */
  record Transaction(List<Compare> compares, List<Operation> operations) {
    public Transaction {
      compares = List.copyOf(compares);
      operations = List.copyOf(operations);
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
    /** It is durable, at this revision. */
    record Committed(long revision) implements Outcome {}

    /** A comparison did not hold; nothing was written. {@code revision}: the store's at that moment. */
    record Conflict(long revision) implements Outcome {}
  }

  /** One changed key inside a revision; {@code value} is null when it was deleted. */
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

  /** A lease: keys put with it vanish when it is not kept alive for its duration. Keeping alive is the store's work. */
  interface Lease extends AutoCloseable {
    long id();

    /** False once the store let it expire. */
    boolean alive();

    /** Revokes it: its keys are deleted at once. */
    @Override
    void close();
  }

  /** The newest revision of any key: linearizable. 0 for a store that never held anything. */
  long revision();

  Optional<Entry> get(String key);

  Snapshot read(String prefix);

  /** As the store was at an earlier revision. Throws {@link CompactedException} when that is gone. */
  Snapshot readAt(String prefix, long revision);

  Outcome commit(Transaction transaction);

  /** All changes under the prefix from {@code fromRevision} on, first the past ones and then new ones as they come. */
  Watch watch(String prefix, long fromRevision, Watcher watcher);

  Lease lease(Duration timeToLive);

  /** Forgets what was before this revision: the past can be neither read nor watched any more. */
  void compact(long revision);

  @Override
  void close();
}
