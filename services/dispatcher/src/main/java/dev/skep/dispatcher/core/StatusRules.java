package dev.skep.dispatcher.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What becomes of task states that a node reports. States only grow; a node speaks about its own tasks only. */
public final class StatusRules {
  private StatusRules() {}

  /** The answer to a report. */
  public sealed interface Verdict {
    /** One change set per task whose status moves, and while a restore is unconfirmed one for what it does not know; none when the report says nothing new. */
    record Accepted(List<ChangeSet> changes) implements Verdict {}

    /** The report speaks about another node's task: nothing of it lands. */
    record Denied(String taskId) implements Verdict {}

    /** The session is over: the node has to register again. */
    record SessionOver() implements Verdict {}
  }

  /** {@code state} must be at or above everything that was committed for this session before. */
  public static Verdict judge(ClusterState state, SessionKey session, List<TaskStatusRow> updates, Instant now) {
    Row<SessionRow> sessionRow = session.row(state);
    if (sessionRow == null) {
      return new Verdict.SessionOver();
    }
    Map<String, TaskStatusRow> accepted = new LinkedHashMap<>();
    for (TaskStatusRow update : updates) {
      TaskRecord task = update.getTaskId().isEmpty() ? null : TaskRecord.find(state, update.getTaskId());
      if (task == null || task.nodeId().isEmpty()) {
        // Gone meanwhile, or, in a store that was restored from an older copy, not given to anybody yet: nobody wants to know.
        continue;
      }
      if (!task.nodeId().equals(session.nodeId())) {
        return new Verdict.Denied(update.getTaskId());
      }
      TaskStatusRow before = accepted.get(task.id());
      if (before == null && task.statusRow() != null) {
        before = task.statusRow().value();
      }
      if (reportable(update.getState()) && grows(before, update)) {
        accepted.put(
            task.id(),
            update.toBuilder().setTaskId(task.id()).setNodeId(session.nodeId()).setAppliedAt(Stamp.of(now)).build());
      }
    }
    List<ChangeSet> changes = new ArrayList<>(accepted.size());
    accepted.forEach((taskId, status) -> changes.add(change(state, sessionRow, taskId, status)));
    UnknownTasks.noted(state, sessionRow, updates).ifPresent(changes::add);
    return new Verdict.Accepted(List.copyOf(changes));
  }

  private static ChangeSet change(ClusterState state, Row<SessionRow> session, String taskId, TaskStatusRow status) {
    Row<TaskStatusRow> before = state.row(Rows.STATUS.key(taskId));
    ChangeSet.Builder change = ChangeSet.about(taskId).unmodified(session).present(Rows.INTENT.key(taskId));
    // A commit whose answer was lost may land late: it must not put an older status over a newer one.
    (before == null ? change.absent(Rows.STATUS.key(taskId)) : change.unmodified(before)).put(Rows.STATUS.key(taskId), status);
    return change.build();
  }

  /** States that an agent sets; the ones before are derived, the ones after belong to the control services. */
  private static boolean reportable(TaskState state) {
    return switch (state) {
      case TASK_ACCEPTED, TASK_PREPARING, TASK_READY, TASK_STARTING, TASK_RUNNING -> true;
      case TASK_COMPLETE, TASK_SHUTDOWN, TASK_FAILED, TASK_REJECTED -> true;
      case TASK_NEW, TASK_PENDING, TASK_ASSIGNED, TASK_REMOVE, TASK_ORPHANED, UNRECOGNIZED -> false;
    };
  }

  private static boolean grows(TaskStatusRow before, TaskStatusRow update) {
    if (before == null || update.getStateValue() > before.getStateValue()) {
      return true;
    }
    // The same state again counts only when it says something else: a pull's progress, a container's id.
    return update.getStateValue() == before.getStateValue() && !content(update).equals(content(before));
  }

  private static TaskStatusRow content(TaskStatusRow status) {
    return status.toBuilder().clearTaskId().clearNodeId().clearTimestamp().clearAppliedAt().build();
  }
}
