package dev.skep.dispatcher.core;

import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Which part of which node's set a move of the state may concern. {@code networks} concern every node. */
public record Concerns(Map<String, Concern> byNode, Set<String> networks) {
  public Concerns {
    byNode = Map.copyOf(byNode);
    networks = Set.copyOf(networks);
  }

  public Concern of(String nodeId) {
    Concern own = byNode.getOrDefault(nodeId, Concern.NONE);
    return networks.isEmpty() ? own : own.and(Concern.of(Set.of(), networks));
  }

  public boolean isEmpty() {
    return byNode.isEmpty() && networks.isEmpty();
  }

  /** {@code state} is the state after the changes. */
  public static Concerns of(ClusterState state, List<RowChange> changes) {
    Collector found = new Collector(state);
    changes.forEach(found::add);
    return found.build();
  }

  /** The concern that some tasks are to be looked at again although no row changed. */
  public static Concerns ofTasks(ClusterState state, Set<String> taskIds) {
    Collector found = new Collector(state);
    taskIds.forEach(found::task);
    return found.build();
  }

  private static final class Collector {
    private final ClusterState state;
    private final Map<String, Set<String>> tasks = new HashMap<>();
    private final Map<String, Set<String>> networksOfNode = new HashMap<>();
    private final Set<String> networks = new TreeSet<>();

    Collector(ClusterState state) {
      this.state = state;
    }

    void add(RowChange change) {
      if (change.of(Rows.INTENT) || change.of(Rows.ADDRESS)) {
        task(change.key().lastPart());
      } else if (change.of(Rows.PLACEMENT)) {
        placed(change.before() == null ? null : (PlacementRow) change.before().value(), change.key().lastPart());
        placed(change.after() == null ? null : (PlacementRow) change.after().value(), change.key().lastPart());
      } else if (change.of(Rows.STATUS)) {
        // The set holds no status, but a network stays on a node while a live task uses it.
        if (terminal(change.before() == null ? null : (TaskStatusRow) change.before().value())
            != terminal(change.after() == null ? null : (TaskStatusRow) change.after().value())) {
          task(change.key().lastPart());
        }
      } else if (change.of(Rows.SERVICE)) {
        state.tasksOfService(change.key().lastPart()).forEach(this::task);
      } else if (change.of(Rows.TEMPLATE)) {
        template((TemplateRow) change.newest());
      } else if (change.of(Rows.GATEWAY)) {
        NodeGatewayRow gateway = (NodeGatewayRow) change.newest();
        networksOfNode.computeIfAbsent(gateway.getNodeId(), id -> new TreeSet<>()).add(gateway.getNetworkId());
      } else if (change.of(Rows.NETWORK) || change.of(Rows.POOL)) {
        networks.add(change.key().lastPart());
      }
    }

    private static boolean terminal(TaskStatusRow status) {
      return status != null && status.getStateValue() > TaskState.TASK_RUNNING_VALUE;
    }

    private void template(TemplateRow template) {
      for (String taskId : state.tasksOfService(template.getServiceId())) {
        TaskIntentRow intent = state.value(Rows.INTENT.key(taskId));
        if (intent.getTemplate() == template.getNumber()) {
          task(taskId);
        }
      }
    }

    void task(String taskId) {
      placed(state.value(Rows.PLACEMENT.key(taskId)), taskId);
    }

    private void placed(PlacementRow placement, String taskId) {
      if (placement != null && !placement.getNodeId().isEmpty()) {
        tasks.computeIfAbsent(placement.getNodeId(), id -> new TreeSet<>()).add(taskId);
      }
    }

    Concerns build() {
      Map<String, Concern> byNode = new HashMap<>();
      tasks.forEach((node, ids) -> byNode.merge(node, Concern.of(ids, Set.of()), Concern::and));
      networksOfNode.forEach((node, ids) -> byNode.merge(node, Concern.of(Set.of(), ids), Concern::and));
      return new Concerns(byNode, networks);
    }
  }
}
