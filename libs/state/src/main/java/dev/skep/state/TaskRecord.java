package dev.skep.state;

import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.util.ArrayList;
import java.util.List;

/** The four rows of one task, joined. Those that do not exist yet are null; the intent always exists. */
public record TaskRecord(
    Row<TaskIntentRow> intentRow, Row<TaskAddressRow> addressRow, Row<PlacementRow> placementRow, Row<TaskStatusRow> statusRow) {

  /** The task, or null when nobody intends it. */
  public static TaskRecord find(ClusterState state, String taskId) {
    Row<TaskIntentRow> intent = state.row(Rows.INTENT.key(taskId));
    if (intent == null) {
      return null;
    }
    return new TaskRecord(intent, state.row(Rows.ADDRESS.key(taskId)), state.row(Rows.PLACEMENT.key(taskId)), state.row(Rows.STATUS.key(taskId)));
  }

  /** All tasks of a service, in id order. */
  public static List<TaskRecord> ofService(ClusterState state, String serviceId) {
    List<TaskRecord> tasks = new ArrayList<>();
    for (String taskId : state.tasksOfService(serviceId)) {
      tasks.add(find(state, taskId));
    }
    return tasks;
  }

  public String id() {
    return intentRow.key().lastPart();
  }

  public TaskIntentRow intent() {
    return intentRow.value();
  }

  public TaskState desired() {
    return intent().getDesired();
  }

  /** The node it was given to; empty when there is none yet. */
  public String nodeId() {
    return placementRow == null ? "" : placementRow.value().getNodeId();
  }

  /** A row of addresses without an error exists. */
  public boolean addressed() {
    return addressRow != null && addressRow.value().getError().isEmpty();
  }

  /** The state, derived: what the node said, else how far the rows have come. */
  public TaskState observed() {
    if (!intent().getRejected().isEmpty() && (statusRow == null || statusRow.value().getStateValue() < TaskState.TASK_REJECTED_VALUE)) {
      return TaskState.TASK_REJECTED;
    }
    if (statusRow != null) {
      return statusRow.value().getState();
    }
    if (!nodeId().isEmpty()) {
      return TaskState.TASK_ASSIGNED;
    }
    return addressed() ? TaskState.TASK_PENDING : TaskState.TASK_NEW;
  }

  /** The observed state will not change any more. */
  public boolean terminal() {
    return observed().getNumber() > TaskState.TASK_RUNNING_VALUE;
  }
}
