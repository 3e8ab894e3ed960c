package dev.skep.dispatcher.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Tasks whose order to stop is held back until traffic has left them: a task that was serving is handed to its node
 * with its old desired state until every live node has applied the feed that no longer lists it as serving, or
 * {@link #LONGEST} has passed. Tasks of a service that is removed altogether are not held: its ports are closed anyway.
 */
public record Withdrawals(SortedMap<String, Held> held) {
  /** No withdrawal waits longer, whatever the nodes say. */
  public static final Duration LONGEST = Duration.ofSeconds(2);

  public static final Withdrawals NONE = new Withdrawals(new TreeMap<>());

  /** {@code desired}: what the node is told meanwhile; {@code revision}: where the feed withdraws the task. */
  public record Held(TaskState desired, long revision, Instant since) {}

  public Withdrawals {
    held = Collections.unmodifiableSortedMap(new TreeMap<>(held));
  }

  /** What the node is told that the task should be. */
  public TaskState desired(String taskId, TaskState decided) {
    Held withdrawal = held.get(taskId);
    return withdrawal == null ? decided : withdrawal.desired;
  }

  /** After a move of the state. */
  public Withdrawals moved(ClusterState state, List<RowChange> changes, Instant now) {
    SortedMap<String, Held> next = null;
    for (RowChange change : changes) {
      if (change.of(Rows.INTENT) && stopped(change) && leavesTraffic(state, change.key().lastPart())) {
        next = next == null ? new TreeMap<>(held) : next;
        TaskState before = ((TaskIntentRow) change.before().value()).getDesired();
        next.put(change.key().lastPart(), new Held(before, state.revision(), now));
      }
    }
    return (next == null ? this : new Withdrawals(next)).stillRunning(state);
  }

  /**
   * For a dispatcher that lost its past: whatever runs and should stop may still be in somebody's traffic, because the
   * order may have been decided while nobody told the nodes.
   */
  public static Withdrawals afterReset(ClusterState state, Instant now) {
    SortedMap<String, Held> next = new TreeMap<>();
    for (Row<TaskIntentRow> intent : state.rows(Rows.INTENT)) {
      if (stops(intent.value().getDesired()) && leavesTraffic(state, intent.key().lastPart())) {
        next.put(intent.key().lastPart(), new Held(TaskState.TASK_RUNNING, state.revision(), now));
      }
    }
    return new Withdrawals(next);
  }

  /**
   * @param applied the feed revision that each live node has applied
   */
  public Withdrawals released(Collection<Long> applied, Instant now) {
    if (held.isEmpty()) {
      return this;
    }
    long everywhere = applied.stream().mapToLong(Long::longValue).min().orElse(Long.MAX_VALUE);
    SortedMap<String, Held> next = new TreeMap<>(held);
    next.values().removeIf(wait -> wait.revision <= everywhere || !now.isBefore(wait.since.plus(LONGEST))
        || now.isBefore(wait.since.minus(LONGEST))); // the clock was set back meanwhile
    return next.size() == held.size() ? this : new Withdrawals(next);
  }

  /** When the next one is released though no node answers. */
  public Optional<Instant> due() {
    return held.values().stream().map(wait -> wait.since.plus(LONGEST)).min(Instant::compareTo);
  }

  /** Tasks that are held in one and not, or otherwise, in the other. */
  public Set<String> changedFrom(Withdrawals before) {
    Set<String> changed = new TreeSet<>();
    MapDifference.keys(before.held, held, changed::add);
    return changed;
  }

  private Withdrawals stillRunning(ClusterState state) {
    if (held.isEmpty()) {
      return this;
    }
    SortedMap<String, Held> next = new TreeMap<>(held);
    next.keySet().removeIf(taskId -> !leavesTraffic(state, taskId));
    return next.size() == held.size() ? this : new Withdrawals(next);
  }

  private static boolean stopped(RowChange change) {
    return change.before() != null
        && change.after() != null
        && ((TaskIntentRow) change.before().value()).getDesired() == TaskState.TASK_RUNNING
        && stops(((TaskIntentRow) change.after().value()).getDesired());
  }

  private static boolean stops(TaskState desired) {
    return desired.getNumber() >= TaskState.TASK_SHUTDOWN_VALUE;
  }

  /** It runs with an address on a node that is heard, is to stop, and its service goes on. */
  private static boolean leavesTraffic(ClusterState state, String taskId) {
    TaskRecord task = TaskRecord.find(state, taskId);
    return task != null
        && !task.nodeId().isEmpty()
        && stops(task.desired())
        && task.statusRow() != null
        // What its node says: the orchestrator may have given up a task that still runs.
        && task.statusRow().value().getState() == TaskState.TASK_RUNNING
        && task.addressed()
        && task.addressRow().value().getAddressesCount() > 0
        && NodeLife.of(state, task.nodeId()) != NodeLife.DOWN
        && state.has(Rows.SERVICE.key(task.intent().getServiceId()));
  }
}
