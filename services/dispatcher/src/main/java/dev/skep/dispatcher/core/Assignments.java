package dev.skep.dispatcher.core;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.PortConfig;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.AttachmentAssignment;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a node should have: the tasks placed on it, and the networks they need.
 *
 * <p>A task is in the set as long as its intent exists. A network is in the set when this node has a gateway in it and
 * it is the ingress network, or a task of the node that has not ended uses it, or one that has ended does and the
 * network still exists: so a crash loop does not tear the bridge down each time, and a removed network goes away.
 */
public final class Assignments {
  private static final String HOST = "host";

  private Assignments() {}

  /** The whole set of a node. */
  public static AssignmentSet of(ClusterState state, String nodeId, Withdrawals withdrawals) {
    TreeMap<String, TaskAssignment> tasks = new TreeMap<>();
    for (String taskId : state.tasksOfNode(nodeId)) {
      TaskAssignment task = task(state, nodeId, taskId, withdrawals);
      if (task != null) {
        tasks.put(taskId, task);
      }
    }
    Set<String> candidates = new TreeSet<>();
    for (Row<NodeGatewayRow> gateway : state.rows(Rows.GATEWAY, nodeId)) {
      candidates.add(gateway.value().getNetworkId());
    }
    return new AssignmentSet(nodeId, tasks, networks(state, nodeId, candidates));
  }

  /** The set after a move of the state, looking only at what it concerns. Equals {@link #of}. */
  public static AssignmentSet update(AssignmentSet old, ClusterState state, Concern concern, Withdrawals withdrawals) {
    if (concern.isEmpty()) {
      return old;
    }
    TreeMap<String, TaskAssignment> tasks = new TreeMap<>(old.tasks());
    Set<String> candidates = new TreeSet<>(concern.networks());
    for (String taskId : concern.tasks()) {
      TaskAssignment before = tasks.get(taskId);
      TaskAssignment after = task(state, old.nodeId(), taskId, withdrawals);
      addNetworks(before, candidates);
      addNetworks(after, candidates);
      if (after == null) {
        tasks.remove(taskId);
      } else {
        tasks.put(taskId, after);
      }
    }
    TreeMap<String, NetworkAssignment> networks = new TreeMap<>(old.networks());
    networks.keySet().removeAll(candidates);
    networks.putAll(networks(state, old.nodeId(), candidates));
    return new AssignmentSet(old.nodeId(), tasks, networks);
  }

  private static void addNetworks(TaskAssignment task, Set<String> networks) {
    if (task != null) {
      task.getAttachmentsList().forEach(attachment -> networks.add(attachment.getNetworkId()));
    }
  }

  /** The first message of a stream. */
  public static AssignmentsMessage complete(ClusterState state, AssignmentSet set) {
    AssignmentsMessage.Builder message = message(state).setComplete(true);
    set.tasks().values().forEach(task -> message.addPutTasks(withStatus(state, task)));
    message.addAllPutNetworks(set.networks().values());
    return message.build();
  }

  /** What turns one set into the other; empty when nothing does. */
  public static Optional<AssignmentsMessage> difference(ClusterState state, AssignmentSet old, AssignmentSet now) {
    AssignmentsMessage.Builder message = message(state);
    MapDifference.of(old.tasks(), now.tasks(), task -> message.addPutTasks(withStatus(state, task)), message::addRemoveTasks);
    MapDifference.of(old.networks(), now.networks(), message::addPutNetworks, message::addRemoveNetworks);
    boolean nothing =
        message.getPutTasksCount() + message.getRemoveTasksCount() + message.getPutNetworksCount() + message.getRemoveNetworksCount() == 0;
    return nothing ? Optional.empty() : Optional.of(message.build());
  }

  /** The random id of this life of the store; empty before a cluster exists. */
  public static String epoch(ClusterState state) {
    ClusterRow cluster = state.value(Rows.cluster());
    return cluster == null ? "" : cluster.getEpoch();
  }

  private static AssignmentsMessage.Builder message(ClusterState state) {
    return AssignmentsMessage.newBuilder().setEpoch(epoch(state)).setRevision(state.revision());
  }

  private static TaskAssignment withStatus(ClusterState state, TaskAssignment task) {
    TaskStatusRow status = state.value(Rows.STATUS.key(task.getId()));
    return status == null ? task : task.toBuilder().setLastStatus(status).build();
  }

  private static TaskAssignment task(ClusterState state, String nodeId, String taskId, Withdrawals withdrawals) {
    TaskRecord task = TaskRecord.find(state, taskId);
    if (task == null || !task.nodeId().equals(nodeId)) {
      return null;
    }
    TaskAssignment.Builder assignment =
        TaskAssignment.newBuilder()
            .setId(taskId)
            .setServiceId(task.intent().getServiceId())
            .setServiceName(task.intent().getServiceName())
            .setSlot(task.intent().getSlot())
            .setNodeId(nodeId)
            .setDesired(withdrawals.desired(taskId, task.desired()))
            .setGlobal(!task.intent().getNodeId().isEmpty());
    ServiceRow service = state.value(Rows.SERVICE.key(task.intent().getServiceId()));
    if (service != null) {
      assignment.putAllServiceLabels(service.getCurrent().getLabelsMap());
    }
    // The task's own template: during an update the service's newest one is not what this task runs.
    TemplateRow template = state.value(Rows.template(task.intent().getServiceId(), task.intent().getTemplate()));
    if (template != null) {
      assignment.setSpec(template.getTask()).addAllHostPorts(hostPorts(template.getEndpoint()));
    }
    if (task.addressed()) {
      for (TaskAddress address : task.addressRow().value().getAddressesList()) {
        assignment.addAttachments(attachment(address, template));
      }
    }
    return assignment.build();
  }

  private static Iterable<PortConfig> hostPorts(EndpointSpec endpoint) {
    return endpoint.getPortsList().stream().filter(port -> port.getPublishMode().equals(HOST)).toList();
  }

  private static AttachmentAssignment attachment(TaskAddress address, TemplateRow template) {
    AttachmentAssignment.Builder attachment =
        AttachmentAssignment.newBuilder().setNetworkId(address.getNetworkId()).setAddress(address.getAddress());
    if (template != null) {
      for (NetworkAttachmentConfig network : template.getTask().getNetworksList()) {
        if (network.getTarget().equals(address.getNetworkId())) {
          attachment.addAllAliases(network.getAliasesList());
        }
      }
    }
    return attachment.build();
  }

  private static SortedMap<String, NetworkAssignment> networks(ClusterState state, String nodeId, Set<String> candidates) {
    SortedMap<String, NetworkAssignment> networks = new TreeMap<>();
    if (candidates.isEmpty()) {
      return networks;
    }
    Set<String> usedByEnded = new HashSet<>();
    Set<String> usedByLive = usedByLive(state, nodeId, candidates, usedByEnded);
    ClusterRow cluster = state.value(Rows.cluster());
    int port = cluster == null ? 0 : cluster.getDataPathPort(); // never changes in a cluster's life
    for (String networkId : candidates) {
      NodeGatewayRow gateway = state.value(Rows.GATEWAY.key(nodeId, networkId));
      NetworkPoolRow pool = state.value(Rows.POOL.key(networkId));
      NetworkRow network = state.value(Rows.NETWORK.key(networkId));
      if (gateway == null || pool == null || gateway.getAddress().isEmpty() || pool.getSubnet().isEmpty()) {
        continue;
      }
      boolean stands = network != null && (network.getIngress() || usedByEnded.contains(networkId));
      if (stands || usedByLive.contains(networkId)) {
        networks.put(networkId, network(gateway, pool, network).setDataPathPort(port).build());
      }
    }
    return networks;
  }

  /** Looks at the node's tasks until one that lives was found for each network: usually the first one will do. */
  private static Set<String> usedByLive(ClusterState state, String nodeId, Set<String> networks, Set<String> usedByEnded) {
    Set<String> usedByLive = new HashSet<>();
    Set<String> open = new HashSet<>(networks);
    for (String taskId : state.tasksOfNode(nodeId)) {
      if (open.isEmpty()) {
        break;
      }
      TaskRecord task = TaskRecord.find(state, taskId);
      if (task != null && task.addressed()) {
        boolean ended = task.terminal();
        for (TaskAddress address : task.addressRow().value().getAddressesList()) {
          (ended ? usedByEnded : usedByLive).add(address.getNetworkId());
        }
        open.removeAll(usedByLive);
      }
    }
    return usedByLive;
  }

  private static NetworkAssignment.Builder network(NodeGatewayRow gateway, NetworkPoolRow pool, NetworkRow network) {
    NetworkAssignment.Builder assignment =
        NetworkAssignment.newBuilder()
            .setId(pool.getNetworkId())
            .setSubnet(pool.getSubnet())
            .setGateway(gateway.getAddress())
            .setVni(pool.getVni())
            .setIngress(pool.getIngress());
    if (network != null) {
      assignment
          .setName(network.getName())
          .setInternal(network.getInternal())
          .setIngress(network.getIngress())
          .setMtu(NetworkOptions.mtu(network.getOptionsMap()))
          .setEncrypted(NetworkOptions.encrypted(network.getOptionsMap()));
    }
    return assignment;
  }

  /** The set that a receiver has after a message. */
  public static AssignmentSet applied(AssignmentSet set, AssignmentsMessage message) {
    Map<String, TaskAssignment> tasks = new TreeMap<>(message.getComplete() ? Map.of() : set.tasks());
    Map<String, NetworkAssignment> networks = new TreeMap<>(message.getComplete() ? Map.of() : set.networks());
    message.getRemoveTasksList().forEach(tasks::remove);
    message.getRemoveNetworksList().forEach(networks::remove);
    message.getPutTasksList().forEach(task -> tasks.put(task.getId(), task.toBuilder().clearLastStatus().build()));
    message.getPutNetworksList().forEach(network -> networks.put(network.getId(), network));
    return new AssignmentSet(set.nodeId(), new TreeMap<>(tasks), new TreeMap<>(networks));
  }
}
