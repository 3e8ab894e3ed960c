package dev.skep.dispatcher.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.ObjectDecider;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.Tick;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;

/**
 * The parent law for the dispatcher's rows, and the end of tasks whose node will not speak again: a task of a removed
 * node is orphaned at once, one of a node that has been down for a day after that day.
 */
public final class Orphans implements ObjectDecider {
  /** As in swarm mode. */
  public static final Duration NODE_DOWN = Duration.ofHours(24);

  private static final String TASK = "task/";
  private static final String NODE = "node/";

  @Override
  public Set<String> concerned(ClusterState state, Delta since) {
    Set<String> objects = new TreeSet<>();
    if (since.everything()) {
      state.rows(Rows.INTENT).forEach(row -> objects.add(TASK + row.key().lastPart()));
      state.rows(Rows.STATUS).forEach(row -> objects.add(TASK + row.key().lastPart()));
      state.rows(Rows.NODE_STATUS).forEach(row -> objects.add(NODE + row.key().lastPart()));
      state.rows(Rows.SESSION).forEach(row -> objects.add(NODE + row.key().lastPart()));
      return objects;
    }
    for (RowChange change : since.changes()) {
      String id = change.key().lastPart();
      if (change.of(Rows.INTENT) || change.of(Rows.STATUS) || change.of(Rows.PLACEMENT)) {
        objects.add(TASK + id);
      } else if (change.of(Rows.NODE_SPEC) || change.of(Rows.NODE_STATUS) || change.of(Rows.SESSION)) {
        objects.add(NODE + id);
        state.tasksOfNode(id).forEach(task -> objects.add(TASK + task));
      }
    }
    // Waits of a day are cheap to look at again whenever anything happens: only nodes that are down have one.
    for (Row<NodeStatusRow> node : state.rows(Rows.NODE_STATUS)) {
      if (NodeLife.of(node.value()) == NodeLife.DOWN) {
        state.tasksOfNode(node.key().lastPart()).forEach(task -> objects.add(TASK + task));
      }
    }
    return objects;
  }

  @Override
  public void decide(String objectId, ClusterState state, Tick tick, Decision.Builder decision) {
    String id = objectId.substring(objectId.indexOf('/') + 1);
    if (objectId.startsWith(NODE)) {
      node(id, state, decision);
    } else {
      task(id, state, tick, decision);
    }
  }

  private static void node(String id, ClusterState state, Decision.Builder decision) {
    if (state.has(Rows.NODE_SPEC.key(id))) {
      return;
    }
    ChangeSet.Builder change = ChangeSet.about(id).absent(Rows.NODE_SPEC.key(id));
    if (state.has(Rows.NODE_STATUS.key(id))) {
      change.delete(Rows.NODE_STATUS.key(id));
    }
    if (state.has(Rows.SESSION.key(id))) {
      change.delete(Rows.SESSION.key(id));
    }
    decision.change(change);
  }

  private static void task(String id, ClusterState state, Tick tick, Decision.Builder decision) {
    TaskRecord task = TaskRecord.find(state, id);
    if (task == null) {
      if (state.has(Rows.STATUS.key(id))) {
        decision.change(ChangeSet.about(id).absent(Rows.INTENT.key(id)).delete(Rows.STATUS.key(id)));
      }
      return;
    }
    if (task.nodeId().isEmpty() || statusIsTerminal(task)) {
      return;
    }
    if (!state.has(Rows.NODE_SPEC.key(task.nodeId()))) {
      decision.change(orphaned(task, tick, "Task belonged to a node that has been deleted").absent(Rows.NODE_SPEC.key(task.nodeId())));
      return;
    }
    Row<NodeStatusRow> node = state.row(Rows.NODE_STATUS.key(task.nodeId()));
    if (node != null && NodeLife.of(node.value()) == NodeLife.DOWN) {
      Instant due = Stamp.at(node.value().getUpdatedAt()).plus(NODE_DOWN);
      if (tick.now().isBefore(due)) {
        decision.wakeAt(due);
      } else {
        decision.change(orphaned(task, tick, "node has been down for " + NODE_DOWN.toHours() + " hours").unmodified(node));
      }
    }
  }

  private static boolean statusIsTerminal(TaskRecord task) {
    return task.statusRow() != null && task.statusRow().value().getStateValue() > TaskState.TASK_RUNNING_VALUE;
  }

  private static ChangeSet.Builder orphaned(TaskRecord task, Tick tick, String why) {
    TaskStatusRow.Builder status = task.statusRow() == null ? TaskStatusRow.newBuilder() : task.statusRow().value().toBuilder();
    status
        .setTaskId(task.id())
        .setNodeId(task.nodeId())
        .setState(TaskState.TASK_ORPHANED)
        .setTimestamp(Stamp.of(tick.now()))
        .setAppliedAt(Stamp.of(tick.now()))
        .setMessage(why);
    ChangeSet.Builder change =
        ChangeSet.about(task.id()).present(Rows.INTENT.key(task.id())).put(Rows.STATUS.key(task.id()), status.build());
    // The node's own last word wins over ours when both come at once.
    return task.statusRow() == null ? change.absent(Rows.STATUS.key(task.id())) : change.unmodified(task.statusRow());
  }
}
