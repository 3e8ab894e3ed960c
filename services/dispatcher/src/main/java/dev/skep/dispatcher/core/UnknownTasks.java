package dev.skep.dispatcher.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Restored;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a node runs and a restored store does not know: noted in the node's row, so that whoever confirms the restore can
 * see first what will end with it.
 */
final class UnknownTasks {
  private UnknownTasks() {}

  /** Empty when the updates say nothing new about it, or nobody needs to know. */
  static Optional<ChangeSet> noted(ClusterState state, Row<SessionRow> session, List<TaskStatusRow> updates) {
    String nodeId = session.value().getNodeId();
    Row<NodeStatusRow> node = state.row(Rows.NODE_STATUS.key(nodeId));
    if (node == null || !Restored.unconfirmed(state)) {
      return Optional.empty();
    }
    Set<String> unknown = new TreeSet<>(node.value().getUnknownTasksList());
    for (TaskStatusRow update : updates) {
      if (update.getState() == TaskState.TASK_RUNNING && unknown(state, nodeId, update.getTaskId())) {
        unknown.add(update.getTaskId());
      } else {
        unknown.remove(update.getTaskId());
      }
    }
    if (List.copyOf(unknown).equals(node.value().getUnknownTasksList())) {
      return Optional.empty();
    }
    NodeStatusRow row = node.value().toBuilder().clearUnknownTasks().addAllUnknownTasks(unknown).build();
    return Optional.of(ChangeSet.about(nodeId).unmodified(session).unmodified(node).put(node.key(), row).build());
  }

  private static boolean unknown(ClusterState state, String nodeId, String taskId) {
    TaskRecord task = taskId.isEmpty() ? null : TaskRecord.find(state, taskId);
    return task == null || !task.nodeId().equals(nodeId);
  }
}
