package dev.skep.dispatcher.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.TaskState;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Which tasks take traffic: running, wanted running, on a node that is heard. The panic rule for a service: when every
 * endpoint that it has stands on a suspect node, they all stay, because taking the last one away helps nobody.
 */
final class Serving {
  private Serving() {}

  static boolean serves(ClusterState state, TaskRecord task) {
    if (!runs(task)) {
      return false;
    }
    return switch (NodeLife.of(state, task.nodeId())) {
      case READY, UNKNOWN -> true;
      case DOWN -> false;
      case DISCONNECTED -> !runsElsewhere(state, task.intent().getServiceId(), node -> heard(state, node));
    };
  }

  /** Has an address, runs and is wanted running. */
  static boolean runs(TaskRecord task) {
    return !task.nodeId().isEmpty()
        && task.observed() == TaskState.TASK_RUNNING
        && task.desired() == TaskState.TASK_RUNNING
        && task.addressed()
        && task.addressRow().value().getAddressesCount() > 0;
  }

  /** Whether the service has a running endpoint on a node that the predicate accepts. */
  static boolean runsElsewhere(ClusterState state, String serviceId, Predicate<String> node) {
    for (String taskId : state.tasksOfService(serviceId)) {
      TaskRecord task = TaskRecord.find(state, taskId);
      if (runs(task) && node.test(task.nodeId())) {
        return true;
      }
    }
    return false;
  }

  /** Services with a running endpoint on the node. */
  static Set<String> servicesOn(ClusterState state, String nodeId) {
    Set<String> services = new TreeSet<>();
    for (String taskId : state.tasksOfNode(nodeId)) {
      TaskRecord task = TaskRecord.find(state, taskId);
      if (task != null && runs(task)) {
        services.add(task.intent().getServiceId());
      }
    }
    return services;
  }

  static boolean anySuspect(ClusterState state) {
    for (Row<NodeStatusRow> node : state.rows(Rows.NODE_STATUS)) {
      if (NodeLife.of(node.value()) == NodeLife.DISCONNECTED) {
        return true;
      }
    }
    return false;
  }

  private static boolean heard(ClusterState state, String nodeId) {
    NodeLife life = NodeLife.of(state, nodeId);
    return life == NodeLife.READY || life == NodeLife.UNKNOWN;
  }
}
