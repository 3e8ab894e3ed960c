package dev.skep.scheduler.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.Tick;
import dev.skep.state.Times;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Places every task that has its addresses. A task is placed once; one that no node suits gets the reason, and is tried
 * again whenever nodes or tasks change. A global task's node is given: here it is confirmed.
 */
public final class SchedulerDecider implements Decider {
  @Override
  public Decision decide(ClusterState state, Delta since, Tick tick) {
    Decision.Builder decision = Decision.builder();
    Set<String> concerned = concerned(state, since);
    List<TaskRecord> waiting = new ArrayList<>();
    for (String taskId : concerned) {
      TaskRecord task = TaskRecord.find(state, taskId);
      if (task == null) {
        Key<PlacementRow> key = Rows.PLACEMENT.key(taskId);
        if (state.has(key)) {
          decision.change(ChangeSet.about(taskId).delete(key));
        }
      } else if (waits(state, task)) {
        waiting.add(task);
      }
    }
    if (!waiting.isEmpty()) {
      place(state, tick.now(), waiting, decision);
    }
    return decision.build();
  }

  private static Set<String> concerned(ClusterState state, Delta since) {
    Set<String> tasks = new TreeSet<>();
    if (since.everything()) {
      state.rows(Rows.PLACEMENT).forEach(row -> tasks.add(row.key().lastPart()));
      TaskRecord.forEach(
          state,
          task -> {
            if (waits(state, task)) {
              tasks.add(task.id());
            }
          });
      return tasks;
    }
    boolean again = false;
    for (RowChange change : since.changes()) {
      if (change.of(Rows.INTENT) || change.of(Rows.ADDRESS) || change.of(Rows.PLACEMENT)) {
        tasks.add(change.key().lastPart());
        again = true;
      } else if (change.of(Rows.NODE_SPEC) || change.of(Rows.NODE_STATUS) || change.of(Rows.TEMPLATE) || change.of(Rows.STATUS) && ended(change)) {
        again = true;
      }
    }
    if (again) {
      state.failed(Rows.PLACEMENT).forEach(tasks::add);
    }
    return tasks;
  }

  /** Only a task's end makes room. */
  private static boolean ended(RowChange change) {
    return ended(change.before()) != ended(change.after());
  }

  private static boolean ended(Row<?> row) {
    return row != null && ((TaskStatusRow) row.value()).getStateValue() > TaskState.TASK_RUNNING_VALUE;
  }

  /** Meant to run, of a service that is still there, with addresses and without a node. */
  private static boolean waits(ClusterState state, TaskRecord task) {
    return task.addressed()
        && state.has(Rows.SERVICE.key(task.intent().getServiceId()))
        && task.nodeId().isEmpty()
        && task.desired().getNumber() < TaskState.TASK_SHUTDOWN_VALUE
        && !task.confirmedStopped();
  }

  /**
   * Global tasks first, as their node is given; then all tasks of one template together, who has waited longest first.
   * Reasons are found at the end, when all that could be placed is placed.
   */
  private static void place(ClusterState state, Instant now, List<TaskRecord> waiting, Decision.Builder decision) {
    Board board = new Board(state, now);
    Map<Demand, List<TaskRecord>> groups = new LinkedHashMap<>();
    List<TaskRecord> unplaced = new ArrayList<>();
    waiting.sort(
        Comparator.comparingLong((TaskRecord task) -> task.intentRow().createRevision())
            .thenComparingLong(task -> task.intent().getSlot())
            .thenComparing(TaskRecord::id));
    for (TaskRecord task : waiting) {
      Demand demand = board.demand(task.intent());
      if (demand == null) {
        decision.quarantine(task.intent().getServiceId(), "template " + task.intent().getTemplate() + " is not stored");
      } else if (task.intent().getNodeId().isEmpty()) {
        groups.computeIfAbsent(demand, d -> new ArrayList<>()).add(task);
      } else if (!confirm(task, demand, board, now, decision)) {
        unplaced.add(task);
      }
    }
    groups.forEach(
        (demand, tasks) -> {
          List<Candidate> fitting = board.candidates().stream().filter(candidate -> Pipeline.rejects(demand, candidate) == null).toList();
          SpreadTree tree = SpreadTree.of(demand, fitting);
          for (TaskRecord task : tasks) {
            Candidate candidate = tree.take();
            if (candidate == null) {
              unplaced.add(task);
            } else {
              write(task, candidate.id(), "", now, decision);
            }
          }
        });
    explain(unplaced, board, now, decision);
  }

  private static boolean confirm(TaskRecord task, Demand demand, Board board, Instant now, Decision.Builder decision) {
    Candidate candidate = board.candidate(task.intent().getNodeId());
    if (candidate == null || Pipeline.rejects(demand, candidate) != null) {
      return false;
    }
    candidate.occupy(demand, true);
    write(task, candidate.id(), "", now, decision);
    return true;
  }

  private static void explain(List<TaskRecord> unplaced, Board board, Instant now, Decision.Builder decision) {
    Map<Demand, String> reasons = new HashMap<>();
    for (TaskRecord task : unplaced) {
      Demand demand = board.demand(task.intent());
      if (task.intent().getNodeId().isEmpty()) {
        write(task, "", reasons.computeIfAbsent(demand, d -> Pipeline.explain(d, board.candidates())), now, decision);
        continue;
      }
      Candidate given = board.candidate(task.intent().getNodeId());
      if (given != null) { // else the node was removed, and the task goes with it
        write(task, "", Pipeline.explain(demand, List.of(given)), now, decision);
      }
    }
  }

  /** The reason is written again only when it became another one. */
  private static void write(TaskRecord task, String nodeId, String reason, Instant now, Decision.Builder decision) {
    PlacementRow stored = task.placementRow() == null ? null : task.placementRow().value();
    if (stored != null && nodeId.isEmpty() && stored.getReason().equals(reason)) {
      return;
    }
    PlacementRow row = PlacementRow.newBuilder().setTaskId(task.id()).setNodeId(nodeId).setReason(reason).setTimestamp(Times.of(now)).build();
    decision.change(
        ChangeSet.about(task.intent().getServiceId()).present(task.intentRow().key()).put(Rows.PLACEMENT.key(task.id()), row));
  }
}
