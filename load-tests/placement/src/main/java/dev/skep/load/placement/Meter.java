package dev.skep.load.placement;

import com.google.protobuf.Message;
import dev.skep.runtime.View;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** Counts what the store's revisions hold, as this process's view shows them: later than they became durable, never earlier. */
final class Meter {
  /** Rows and bytes (keys and values) that were written, by kind. */
  record Written(long rows, long bytes) {
    Written plus(long moreBytes) {
      return new Written(rows + 1, bytes + moreBytes);
    }
  }

  final AtomicLong placed = new AtomicLong();
  final AtomicLong running = new AtomicLong();
  final AtomicLong gone = new AtomicLong(); // intents deleted
  final AtomicLong revisions = new AtomicLong();
  volatile long lastPlacedAt;
  private final Map<String, Written> written = new TreeMap<>(); // of the view's thread
  private final Map<String, Long> placedAt = new ConcurrentHashMap<>(); // by service name, when it is watched
  private final Map<String, Boolean> watched = new ConcurrentHashMap<>();
  private volatile List<List<RowChange>> recorded; // null: nothing is kept

  Meter(View view) {
    view.listen(this::moved);
  }

  private void moved(ClusterState state, List<RowChange> changes, boolean reset) {
    revisions.incrementAndGet();
    List<List<RowChange>> record = recorded;
    if (record != null) {
      record.add(changes);
    }
    for (RowChange change : changes) {
      count(change);
      if (change.of(Rows.PLACEMENT)) {
        placement(state, change);
      } else if (change.of(Rows.STATUS) && runs(change.after() == null ? null : change.after().value())
          && !runs(change.before() == null ? null : change.before().value())) {
        running.incrementAndGet();
      } else if (change.of(Rows.INTENT) && change.after() == null) {
        gone.incrementAndGet();
      }
    }
  }

  private static boolean runs(Message row) {
    return row instanceof TaskStatusRow status && status.getState() == TaskState.TASK_RUNNING;
  }

  private void placement(ClusterState state, RowChange change) {
    if (change.after() == null || ((PlacementRow) change.after().value()).getNodeId().isEmpty()) {
      return;
    }
    lastPlacedAt = System.nanoTime();
    placed.incrementAndGet();
    if (!watched.isEmpty()) {
      String service = state.value(Rows.INTENT.key(change.key().lastPart())).getServiceName();
      if (watched.remove(service) != null) {
        placedAt.put(service, lastPlacedAt);
      }
    }
  }

  private void count(RowChange change) {
    String prefix = change.key().kind().prefix();
    boolean deleted = change.after() == null;
    long bytes = change.key().path().length() + (deleted ? 0 : change.after().value().getSerializedSize());
    written.merge(prefix + (deleted ? " deleted" : ""), new Written(1, bytes), (sum, _) -> sum.plus(bytes));
  }

  /** When the first task of this service gets its node is to be noted. */
  void watch(String serviceName) {
    watched.put(serviceName, true);
  }

  /** In nanoseconds of the JVM; waits for it. */
  long placedAt(String serviceName) throws InterruptedException {
    await("the placement of " + serviceName, () -> placedAt.containsKey(serviceName) ? 1 : 0, 1);
    return placedAt.remove(serviceName);
  }

  void record(boolean on) {
    recorded = on ? new ArrayList<>() : null;
  }

  List<List<RowChange>> recorded() {
    return recorded;
  }

  /** Call it while nothing is written. */
  Map<String, Written> written() {
    return new TreeMap<>(written);
  }

  static void await(String what, LongSupplier value, long wanted) throws InterruptedException {
    long deadline = System.nanoTime() + 120_000_000_000L;
    while (value.getAsLong() < wanted) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("waited in vain for " + what + ": " + value.getAsLong() + " of " + wanted);
      }
      Thread.sleep(1);
    }
  }
}
