package dev.skep.skepd.sim;

import dev.skep.api.v1.PortConfig;
import dev.skep.dispatcher.core.FeedView;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.state.ClusterState;
import dev.skep.state.Constraint;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What must be so when nothing has gone wrong for a while: all that is wanted runs, and nothing else is left. */
final class Rest {
  private final SimCluster cluster;

  Rest(SimCluster cluster) {
    this.cluster = cluster;
  }

  /** The first thing that is not as it should be. */
  Optional<String> problem() {
    ClusterState state = cluster.store().state();
    return nodes(state)
        .or(() -> parents(state))
        .or(() -> services(state))
        .or(() -> ports(state))
        .or(() -> tasks(state))
        .or(() -> containers(state))
        .or(() -> networks(state))
        .or(() -> edges(state))
        .or(() -> dispatchers(state))
        .or(cluster::logProblem);
  }

  private Optional<String> nodes(ClusterState state) {
    for (NodeRecord record : NodeRecord.all(state)) {
      if (!record.ready()) {
        return Optional.of("node " + record.id() + " is not ready");
      }
      if (cluster.nodes().stream().noneMatch(node -> node.id().equals(record.id()))) {
        return Optional.of("node " + record.id() + " is no machine");
      }
    }
    for (SimNode node : cluster.nodes()) {
      if (node.member() && !state.has(Rows.NODE_SPEC.key(node.id()))) {
        return Optional.of("machine " + node.number() + " thinks that it is " + node.id());
      }
    }
    return Optional.empty();
  }

  private List<SimNode> members() {
    return cluster.nodes().stream().filter(SimNode::member).toList();
  }

  private static boolean fits(ClusterState state, EffectiveSpec spec, String nodeId) {
    return Constraint.allMatch(spec.template().getTask().getPlacement().getConstraintsList(), NodeRecord.find(state, nodeId));
  }

  private Optional<String> parents(ClusterState state) {
    return orphan(state, Rows.INTENT, Rows.SERVICE, row -> row.value().getServiceId())
        .or(() -> orphan(state, Rows.TEMPLATE, Rows.SERVICE, row -> row.value().getServiceId()))
        .or(() -> orphan(state, Rows.ROLLOUT, Rows.SERVICE, row -> row.key().lastPart()))
        .or(() -> orphan(state, Rows.ENDPOINT, Rows.SERVICE, row -> row.key().lastPart()))
        .or(() -> orphan(state, Rows.ADDRESS, Rows.INTENT, row -> row.key().lastPart()))
        .or(() -> orphan(state, Rows.PLACEMENT, Rows.INTENT, row -> row.key().lastPart()))
        .or(() -> orphan(state, Rows.STATUS, Rows.INTENT, row -> row.key().lastPart()))
        .or(() -> orphan(state, Rows.POOL, Rows.NETWORK, row -> row.key().lastPart()))
        .or(() -> orphan(state, Rows.GATEWAY, Rows.POOL, row -> row.value().getNetworkId()))
        .or(() -> orphan(state, Rows.GATEWAY, Rows.NODE_SPEC, row -> row.value().getNodeId()))
        .or(() -> orphan(state, Rows.NODE_STATUS, Rows.NODE_SPEC, row -> row.key().lastPart()))
        .or(() -> orphan(state, Rows.SESSION, Rows.NODE_SPEC, row -> row.key().lastPart()));
  }

  private interface ParentOf<T extends com.google.protobuf.Message> {
    String id(Row<T> row);
  }

  private static <T extends com.google.protobuf.Message> Optional<String> orphan(
      ClusterState state, RowKind<T> kind, RowKind<?> parents, ParentOf<T> parent) {
    for (Row<T> row : state.rows(kind)) {
      if (!state.has(parents.key(parent.id(row)))) {
        StringBuilder bridges = new StringBuilder();
        state.rows(Rows.NODE_STATUS).forEach(node -> bridges.append("\n    ").append(node.key().lastPart()).append(" reports bridges of ")
            .append(node.value().getNetworkIdsList()));
        return Optional.of(row.key() + " lacks its parent " + parents.prefix() + parent.id(row) + bridges);
      }
    }
    return Optional.empty();
  }

  private Optional<String> services(ClusterState state) {
    for (Row<ServiceRow> row : state.rows(Rows.SERVICE)) {
      String id = row.key().lastPart();
      EffectiveSpec spec = EffectiveSpec.of(state, id);
      RolloutRow rollout = state.value(Rows.ROLLOUT.key(id));
      boolean current = rollout != null && rollout.getGeneration() == row.value().getGeneration();
      boolean paused = current && rollout.getState().equals("paused");
      if (current && rollout.getState().equals("updating")) {
        return Optional.of("the update of " + row.value().getCurrent().getName() + " goes on");
      }
      long fitting = members().stream().filter(node -> fits(state, spec, node.id())).count();
      long wanted = spec.global() ? fitting : spec.replicas();
      Set<String> slots = new HashSet<>();
      for (TaskRecord task : TaskRecord.ofService(state, id)) {
        if (task.desired() != TaskState.TASK_RUNNING || task.observed() != TaskState.TASK_RUNNING) {
          continue;
        }
        if (!paused && task.intent().getTemplate() != spec.template().getNumber()) {
          return Optional.of("task " + task.id() + " of " + row.value().getCurrent().getName() + " runs template " + task.intent().getTemplate()
              + " instead of " + spec.template().getNumber() + ", generation " + row.value().getGeneration() + ", rollout " + rollout + reasons(state, id));
        }
        if (!paused && !fits(state, spec, task.nodeId())) {
          return Optional.of("task " + task.id() + " of " + row.value().getCurrent().getName() + " runs on " + task.nodeId() + ", where it does not fit "
              + spec.template().getTask().getPlacement());
        }
        slots.add(TaskRecord.slotOf(task.intent()));
      }
      Optional<String> crowd = crowd(state, spec);
      if (crowd.isPresent() && !paused) {
        return crowd;
      }
      if (slots.size() != wanted && !paused) {
        return Optional.of(row.value().getCurrent().getName() + " " + id + " has " + slots.size() + " tasks of " + wanted + reasons(state, id));
      }
    }
    return Optional.empty();
  }

  private static Optional<String> crowd(ClusterState state, EffectiveSpec spec) {
    long most = spec.template().getTask().getPlacement().getMaxReplicas();
    Map<String, Integer> running = new HashMap<>();
    for (TaskRecord task : TaskRecord.ofService(state, spec.serviceId())) {
      boolean counts = task.desired() == TaskState.TASK_RUNNING && task.observed() == TaskState.TASK_RUNNING;
      if (most > 0 && counts && running.merge(task.nodeId(), 1, Integer::sum) > most) {
        return Optional.of("more than " + most + " tasks of " + spec.serviceId() + " run on " + task.nodeId());
      }
    }
    return Optional.empty();
  }

  private static String reasons(ClusterState state, String serviceId) {
    StringBuilder text = new StringBuilder();
    for (TaskRecord task : TaskRecord.ofService(state, serviceId)) {
      String address = task.addressRow() == null ? "no address" : task.addressRow().value().getError();
      String place = task.placementRow() == null ? "no place" : task.nodeId() + task.placementRow().value().getReason();
      text.append("\n    ").append(task.id()).append(" wanted ").append(task.desired()).append(" is ").append(task.observed())
          .append(", ").append(address).append(", ").append(place);
    }
    return text.toString();
  }

  private Optional<String> ports(ClusterState state) {
    for (Row<ServiceEndpointRow> one : state.rows(Rows.ENDPOINT)) {
      if (!one.value().getError().isEmpty()) {
        return Optional.of(one.key() + ": " + one.value().getError());
      }
      for (Row<ServiceEndpointRow> other : state.rows(Rows.ENDPOINT)) {
        for (PortConfig port : one.value().getPortsList()) {
          if (one != other && other.value().getPortsList().stream().anyMatch(theirs -> Law.samePort(port, theirs))) {
            return Optional.of(one.key() + " and " + other.key() + " share port " + port.getPublishedPort());
          }
        }
      }
    }
    return Optional.empty();
  }

  private Optional<String> tasks(ClusterState state) {
    for (var row : state.rows(Rows.INTENT)) {
      TaskRecord task = TaskRecord.find(state, row.key().lastPart());
      boolean live = task.desired().getNumber() < TaskState.TASK_SHUTDOWN_VALUE;
      if (live && task.observed() != TaskState.TASK_RUNNING || !live && !task.nodeId().isEmpty() && !task.terminal()) {
        return Optional.of("task " + task.id() + " is wanted " + task.desired() + " and is " + task.observed());
      }
    }
    return Optional.empty();
  }

  private Optional<String> containers(ClusterState state) {
    for (SimNode node : members()) {
      for (Container container : node.engine().containers()) {
        TaskRecord task = TaskRecord.find(state, container.task.getId());
        if (task == null || !task.nodeId().equals(node.id())) {
          return Optional.of(container + " on " + node.id() + " belongs to no task");
        }
        if (!container.nodeId().equals(node.id())) {
          return Optional.of(container + " on " + node.id() + " is of the older identity " + container.nodeId());
        }
        if (container.running() != (task.observed() == TaskState.TASK_RUNNING)) {
          return Optional.of(container + " is " + container.state + " and its task " + task.observed());
        }
      }
      for (String id : state.tasksOfNode(node.id())) {
        TaskRecord task = TaskRecord.find(state, id);
        if (task != null && task.observed() == TaskState.TASK_RUNNING && node.engine().ofTask(id) == null) {
          return Optional.of("task " + id + " runs without a container");
        }
      }
    }
    return Optional.empty();
  }

  private Optional<String> networks(ClusterState state) {
    for (SimNode node : members()) {
      for (Map.Entry<String, SimEngine.Standing> entry : node.engine().networks().entrySet()) {
        String id = entry.getKey();
        NodeGatewayRow gateway = state.value(Rows.GATEWAY.key(node.id(), id));
        if (!state.has(Rows.POOL.key(id)) || !entry.getValue().nodeId().equals(node.id())) {
          return Optional.of("the bridge of network " + id + " stands on " + node.id() + ", and the network or the node is gone");
        }
        if (gateway == null || !gateway.getAddress().replaceFirst("/.*", "").equals(entry.getValue().overlay().gateway())) {
          return Optional.of("the bridge of network " + id + " on " + node.id() + " has " + entry.getValue().overlay().gateway()
              + ", and its gateway is " + gateway);
        }
      }
    }
    for (Row<NodeGatewayRow> gateway : state.rows(Rows.GATEWAY)) {
      if (!gateway.value().getError().isEmpty()) {
        return Optional.of(gateway.key() + ": " + gateway.value().getError());
      }
    }
    return Optional.empty();
  }

  /** Every dispatcher that others know lives, and every node's session is with one of them. */
  private Optional<String> dispatchers(ClusterState state) {
    if (!cluster.replicas().shared()) {
      return Optional.empty();
    }
    Set<String> alive = new HashSet<>();
    cluster.seats().forEach(seat -> alive.add(seat.dispatcher().id()));
    for (var row : state.rows(Rows.PEER)) {
      if (!alive.contains(row.key().lastPart())) {
        return Optional.of(row.key() + " speaks of a dispatcher that is gone");
      }
    }
    for (var row : state.rows(Rows.SESSION)) {
      if (!alive.contains(row.value().getDispatcherId())) {
        return Optional.of(row.key() + " is with a dispatcher that is gone");
      }
    }
    return Optional.empty();
  }

  /** Every edge knows exactly the endpoints that the state has. */
  private Optional<String> edges(ClusterState state) {
    Map<String, FeedEntry> wanted = FeedView.all(state);
    for (SimNode node : members()) {
      Map<String, FeedEntry> known = new java.util.TreeMap<>();
      node.edgeFeed().toUpdate().getPutList().forEach(entry -> known.put(entry.getKey(), entry));
      if (!known.equals(wanted)) {
        Set<String> keys = new HashSet<>(known.keySet());
        keys.addAll(wanted.keySet());
        keys.removeIf(key -> wanted.get(key) != null && wanted.get(key).equals(known.get(key)));
        String key = keys.iterator().next();
        return Optional.of("the edge of " + node.id() + " at revision " + node.edgeFeed().revision() + " is wrong about " + keys + ": it should know "
            + wanted.get(key) + " and knows " + known.get(key));
      }
    }
    return Optional.empty();
  }
}
