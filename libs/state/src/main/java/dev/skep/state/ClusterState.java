package dev.skep.state;

import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * All rows at one store revision: an immutable value that any thread may read. Besides the rows it keeps the two
 * indexes that every service needs ({@link Index}): tasks by service, slot and node, and what waits or failed.
 */
public final class ClusterState {
  private static final ClusterState EMPTY = new ClusterState(0, SortedTree.empty(), SortedTree.empty());

  /** A row as it comes from the store or the log; {@code value} is null when the row was deleted. */
  public record Stored(String path, byte[] value, long createRevision, long modRevision) {}

  /** The state after a revision was applied, and what that changed. */
  public record Step(ClusterState state, List<RowChange> changes) {}

  private final long revision;
  private final SortedTree<Row<?>> rows;
  private final SortedTree<String> index; // see Index; to what stands behind the kind's prefix in the row's key

  private ClusterState(long revision, SortedTree<Row<?>> rows, SortedTree<String> index) {
    this.revision = revision;
    this.rows = rows;
    this.index = index;
  }

  public static ClusterState empty() {
    return EMPTY;
  }

  public long revision() {
    return revision;
  }

  /** Number of rows. */
  public int size() {
    return rows.size();
  }

  /** The row, or null. */
  @SuppressWarnings("unchecked") // a row was parsed by the kind of its key
  public <T extends Message> Row<T> row(Key<T> key) {
    return (Row<T>) rows.get(key.path());
  }

  /** The row's value, or null. */
  public <T extends Message> T value(Key<T> key) {
    Row<T> row = row(key);
    return row == null ? null : row.value();
  }

  public boolean has(Key<?> key) {
    return rows.get(key.path()) != null;
  }

  /** All rows of a kind, in key order. */
  @SuppressWarnings("unchecked") // rows under a kind's prefix are of that kind
  public <T extends Message> Iterable<Row<T>> rows(RowKind<T> kind) {
    return (Iterable<Row<T>>) (Iterable<?>) rows.values(kind.prefix());
  }

  /** Rows of a kind whose key begins with this part: the templates of a service, the gateways of a node. */
  @SuppressWarnings("unchecked") // rows under a kind's prefix are of that kind
  public <T extends Message> Iterable<Row<T>> rows(RowKind<T> kind, String firstPart) {
    return (Iterable<Row<T>>) (Iterable<?>) rows.values(kind.prefix() + firstPart + "/");
  }

  /** Ids of the tasks that an intent gives to the service, in id order. */
  public Iterable<String> tasksOfService(String serviceId) {
    return index.values(Index.service(serviceId));
  }

  /** Ids of the tasks that had or have this slot of the service, in id order; for a global task the slot is its node's id. */
  public Iterable<String> tasksOfSlot(String serviceId, String slot) {
    return index.values(Index.slot(serviceId, slot));
  }

  /** Ids of the tasks that are placed on the node. */
  public Iterable<String> tasksOfNode(String nodeId) {
    return index.values(Index.node(nodeId));
  }

  /** Ids of the tasks that are held at desired READY: replacements that wait for their time. */
  public Iterable<String> waitingTasks() {
    return index.values(Index.WAITING);
  }

  /** Keys, without their kind's prefix, of the rows of a kind that hold a reason instead of a result: what ran out, or why no node fits. */
  public Iterable<String> failed(RowKind<?> kind) {
    return index.values(Index.failed(kind));
  }

  /** The state after all changes of one revision. */
  public Step apply(long newRevision, List<Stored> changes) {
    if (newRevision < revision) {
      throw new IllegalStateException("revision " + newRevision + " after " + revision);
    }
    SortedTree<Row<?>> nextRows = rows;
    SortedTree<String> nextIndex = index;
    List<RowChange> done = new ArrayList<>(changes.size());
    for (Stored change : changes) {
      Key<?> key = Rows.keyOf(change.path()).orElseThrow(() -> new IllegalStateException("nobody owns the key " + change.path()));
      Row<?> before = nextRows.get(change.path());
      Row<?> after = change.value() == null ? null : parsed(key, change);
      if (before == null && after == null) {
        continue;
      }
      nextIndex = reindexed(nextIndex, key, before, after);
      nextRows = after == null ? nextRows.without(change.path()) : nextRows.with(change.path(), after);
      done.add(new RowChange(key, before, after));
    }
    return new Step(new ClusterState(newRevision, nextRows, nextIndex), done);
  }

  private static <T extends Message> Row<T> parsed(Key<T> key, Stored stored) {
    return new Row<>(key, key.kind().parse(stored.value()), stored.createRevision(), stored.modRevision());
  }

  private static SortedTree<String> reindexed(SortedTree<String> index, Key<?> key, Row<?> before, Row<?> after) {
    List<String> old = before == null ? List.of() : Index.entries(key, before.value());
    List<String> now = after == null ? List.of() : Index.entries(key, after.value());
    if (old.equals(now)) {
      return index;
    }
    for (String entry : old) {
      index = index.without(entry);
    }
    for (String entry : now) {
      index = index.with(entry, key.path().substring(key.kind().prefix().length()));
    }
    return index;
  }
}
