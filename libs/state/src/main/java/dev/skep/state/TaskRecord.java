package dev.skep.state;

import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

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

  /** All tasks of the cluster, in id order: one pass over the four kinds of rows, far cheaper than to find each. */
  public static void forEach(ClusterState state, Consumer<TaskRecord> visitor) {
    RowCursor<TaskAddressRow> addresses = new RowCursor<>(state.rows(Rows.ADDRESS));
    RowCursor<PlacementRow> placements = new RowCursor<>(state.rows(Rows.PLACEMENT));
    RowCursor<TaskStatusRow> statuses = new RowCursor<>(state.rows(Rows.STATUS));
    for (Row<TaskIntentRow> intent : state.rows(Rows.INTENT)) {
      String id = intent.key().lastPart();
      visitor.accept(new TaskRecord(intent, addresses.at(id), placements.at(id), statuses.at(id)));
    }
  }

  /** The slot as text: the number for a replicated service's task, the node's id for a global one's. */
  public static String slotOf(TaskIntentRow intent) {
    return intent.getNodeId().isEmpty() ? Long.toString(intent.getSlot()) : intent.getNodeId();
  }

  public String id() {
    return intentRow.key().lastPart();
  }

  public String slot() {
    return slotOf(intent());
  }

  /** The node confirmed that nothing of the task runs any more. Unlike {@link #terminal}, never a guess of ours. */
  public boolean confirmedStopped() {
    return statusRow != null && statusRow.value().getStateValue() > TaskState.TASK_RUNNING_VALUE;
  }

  /**
   * Whether its addresses are taken. The row of a stopped task stays for history's sake, but what it names is free:
   * two address rows may name one address as long as at most one of them is held.
   */
  public boolean holdsAddresses() {
    return addressed() && !confirmedStopped();
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
