package dev.skep.skepd.sim;

import com.google.protobuf.Message;
import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.Resources;
import dev.skep.state.ClusterState;
import dev.skep.state.Constraint;
import dev.skep.state.NodeRecord;
import dev.skep.state.Owner;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.Subnet;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import dev.skep.testkit.sim.SimStore.Landed;
import dev.skep.testkit.sim.Violation;
import java.util.HashSet;
import java.util.Set;

/** What must hold of rows after every commit. Looks only at what the commit touched. */
final class Law {
  private static final int A_MOMENT = 50; // revisions

  private final Set<String> removable = new HashSet<>(); // services and networks that a user asked to remove

  private final Set<String> ended = new HashSet<>(); // tasks whose node said so, or that lost their node

  private final Set<String> startFirst = new HashSet<>(); // services

  /** From now on the object may go. */
  void mayGo(String id) {
    removable.add(id);
  }

  /** An older store says otherwise about what has ended. */
  void restored(ClusterState left) {
    ended.clear();
    left.rows(Rows.STATUS).forEach(row -> {
      if (row.value().getStateValue() > TaskState.TASK_RUNNING_VALUE) {
        ended.add(row.key().lastPart());
      }
    });
  }

  void check(Landed landed) {
    for (RowChange change : landed.changes()) {
      writer(landed, change);
      Message value = change.after() == null ? null : change.after().value();
      switch (value) {
        case TaskStatusRow status -> statusGrows(change, status);
        case TaskIntentRow intent -> desiredGrows(landed.after(), change, intent);
        case TaskAddressRow address -> addresses(landed.after(), change.key().lastPart(), address);
        case ServiceEndpointRow endpoint -> endpoint(landed.after(), change.key().lastPart(), endpoint);
        case NodeGatewayRow gateway -> free(landed.after(), gateway.getNetworkId(), gateway.getAddress(), change.key().path());
        case NetworkPoolRow pool -> pool(landed.after(), pool);
        case PlacementRow placement -> placement(landed.after(), change, placement);
        case ServiceRow service -> service(landed.after(), service);
        case NodeStatusRow node -> member(landed.after(), change, node.getNodeId());
        case SessionRow session -> member(landed.after(), change, session.getNodeId());
        case null -> deleted(landed.after(), change);
        default -> {
          // nothing to hold of the other kinds
        }
      }
    }
  }

  // ---- who writes ----

  private static void writer(Landed landed, RowChange change) {
    Owner owner = change.key().kind().owner();
    String loop = landed.writer().replaceFirst("@.*", "");
    String owned = switch (owner) {
      case API -> "api";
      case ORCHESTRATOR -> "orchestrator";
      case ALLOCATOR -> "allocator";
      case SCHEDULER -> "scheduler";
      case DISPATCHER -> "dispatcher";
      case SEALED -> "none";
      case LOOP -> loop;
    };
    boolean vanishes = loop.equals("lease") && change.of(Rows.PEER) && change.after() == null;
    if (!owned.equals(loop) && !vanishes) {
      throw new Violation(landed.writer() + " writes " + change.key() + ", which is " + owned + "'s");
    }
    if (owner == Owner.ORCHESTRATOR || owner == Owner.ALLOCATOR || owner == Owner.SCHEDULER) {
      LeaderRow leader = landed.before().value(Rows.LEADER.key(loop));
      if (leader == null || !landed.writer().equals(loop + "@" + leader.getHolder())) {
        throw new Violation("a fenced writer won: " + landed.writer() + " wrote " + change.key() + " while the row is held by " + leader);
      }
    }
  }

  private void deleted(ClusterState state, RowChange change) {
    String id = change.key().lastPart();
    if ((change.of(Rows.SERVICE) || change.of(Rows.NETWORK)) && !removable.contains(id)) {
      throw new Violation("the acknowledged " + change.key() + " is lost");
    }
    if (change.of(Rows.STATUS) && state.has(Rows.INTENT.key(id))) {
      throw new Violation("the status of task " + id + " is deleted, but the task is still intended");
    }
    if (change.of(Rows.INTENT) || change.of(Rows.ADDRESS) && state.has(Rows.INTENT.key(id))) {
      PlacementRow placement = state.value(Rows.PLACEMENT.key(id));
      boolean placed = placement != null && !placement.getNodeId().isEmpty() && state.has(Rows.NODE_SPEC.key(placement.getNodeId()));
      if (placed && !ended.contains(id)) {
        throw new Violation(change.key() + " is deleted while the task may run");
      }
    }
  }

  /** A node that was removed says nothing any more, and nothing is said of it. */
  private static void member(ClusterState state, RowChange change, String nodeId) {
    if (!state.has(Rows.NODE_SPEC.key(nodeId))) {
      throw new Violation(change.key() + " is written, and the node is no member");
    }
  }

  // ---- what only grows ----

  private void statusGrows(RowChange change, TaskStatusRow status) {
    if (status.getStateValue() > TaskState.TASK_RUNNING_VALUE) {
      ended.add(status.getTaskId());
    }
    if (change.before() != null && ((TaskStatusRow) change.before().value()).getStateValue() > status.getStateValue()) {
      throw new Violation("status goes backwards: " + change.before().value() + " to " + status);
    }
  }

  private void desiredGrows(ClusterState state, RowChange change, TaskIntentRow intent) {
    if (change.before() != null && ((TaskIntentRow) change.before().value()).getDesiredValue() > intent.getDesiredValue()) {
      throw new Violation("the desired state goes backwards: " + change.before().value() + " to " + intent);
    }
    if (intent.getDesired() != TaskState.TASK_RUNNING) {
      return;
    }
    int authorised = 0;
    for (String other : state.tasksOfSlot(intent.getServiceId(), TaskRecord.slotOf(intent))) {
      TaskRecord task = TaskRecord.find(state, other);
      if (task != null && task.desired() == TaskState.TASK_RUNNING && !task.terminal()) {
        authorised++;
      }
    }
    if (authorised > (startFirst.contains(intent.getServiceId()) ? 2 : 1)) {
      throw new Violation(authorised + " tasks of slot " + TaskRecord.slotOf(intent) + " of " + intent.getServiceName() + " are wanted running");
    }
  }

  // ---- what is given once ----

  private void addresses(ClusterState state, String taskId, TaskAddressRow row) {
    for (TaskAddress address : row.getAddressesList()) {
      free(state, address.getNetworkId(), address.getAddress(), Rows.ADDRESS.key(taskId).path());
    }
  }

  private void endpoint(ClusterState state, String serviceId, ServiceEndpointRow row) {
    for (EndpointVirtualIP vip : row.getVirtualIpsList()) {
      free(state, vip.getNetworkId(), vip.getAddr(), Rows.ENDPOINT.key(serviceId).path());
    }
    for (Row<ServiceEndpointRow> other : state.rows(Rows.ENDPOINT)) {
      if (other.key().lastPart().equals(serviceId) || !state.has(Rows.SERVICE.key(other.key().lastPart()))) {
        continue;
      }
      for (PortConfig port : row.getPortsList()) {
        boolean same = other.value().getPortsList().stream().anyMatch(theirs -> samePort(port, theirs));
        // One that was given in the very moment in which another service asked for it is moved: Rest looks at that.
        if (same && asked(state, serviceId, port) == asked(state, other.key().lastPart(), port)) {
          throw new Violation("port " + port.getPublishedPort() + " is given to " + serviceId + " and to " + other.key().lastPart());
        }
      }
    }
  }

  private static boolean asked(ClusterState state, String serviceId, PortConfig port) {
    NameRow name = state.value(Rows.NAME.key("port", port.getProtocol(), Integer.toString(port.getPublishedPort())));
    return name != null && name.getId().equals(serviceId);
  }

  static boolean samePort(PortConfig one, PortConfig other) {
    return one.getPublishedPort() != 0
        && one.getPublishedPort() == other.getPublishedPort()
        && one.getProtocol().equals(other.getProtocol())
        && !one.getPublishMode().equals("host")
        && !other.getPublishMode().equals("host");
  }

  /** Nobody but the holder has this address of the network. */
  private void free(ClusterState state, String network, String cidr, String holder) {
    if (cidr.isEmpty()) {
      return;
    }
    long address = Subnet.addressOf(cidr);
    NetworkPoolRow pool = state.value(Rows.POOL.key(network));
    if (pool != null && !pool.getSubnet().isEmpty()) {
      Subnet subnet = Subnet.parse(pool.getSubnet());
      if (!subnet.contains(address) || address == subnet.base() || address == subnet.last()) {
        throw new Violation(holder + " is given " + cidr + ", which is no address of " + subnet);
      }
    }
    for (Row<NodeGatewayRow> row : state.rows(Rows.GATEWAY)) {
      twice(holder, row, network, row.value().getNetworkId(), address, row.value().getAddress());
    }
    for (Row<ServiceEndpointRow> row : state.rows(Rows.ENDPOINT)) {
      row.value().getVirtualIpsList().forEach(vip -> twice(holder, row, network, vip.getNetworkId(), address, vip.getAddr()));
    }
    for (Row<TaskAddressRow> row : state.rows(Rows.ADDRESS)) {
      if (held(state, row.key().lastPart())) {
        row.value().getAddressesList().forEach(other -> twice(holder, row, network, other.getNetworkId(), address, other.getAddress()));
      }
    }
  }

  /** An ended task that its node has confirmed keeps its row for history, and its address no longer. */
  private boolean held(ClusterState state, String taskId) {
    PlacementRow placement = state.value(Rows.PLACEMENT.key(taskId));
    boolean placed = placement != null && !placement.getNodeId().isEmpty();
    return !ended.contains(taskId) && (placed || state.has(Rows.INTENT.key(taskId)));
  }

  private static void twice(String holder, Row<?> row, String network, String otherNetwork, long address, String other) {
    if (network.equals(otherNetwork) && !other.isEmpty() && Subnet.addressOf(other) == address && !row.key().path().equals(holder)) {
      throw new Violation("the address " + other + " of network " + network + " is given to " + holder + " and to " + row.key());
    }
  }

  private static void pool(ClusterState state, NetworkPoolRow pool) {
    if (pool.getSubnet().isEmpty()) {
      return;
    }
    Subnet subnet = Subnet.parse(pool.getSubnet());
    for (Row<NetworkPoolRow> other : state.rows(Rows.POOL)) {
      if (other.key().lastPart().equals(pool.getNetworkId()) || other.value().getSubnet().isEmpty()) {
        continue;
      }
      if (Subnet.parse(other.value().getSubnet()).overlaps(subnet) || other.value().getVni() == pool.getVni()) {
        throw new Violation("networks share a subnet or a VNI: " + pool + " and " + other.value());
      }
    }
  }

  private void service(ClusterState state, ServiceRow service) {
    if (service.getCurrent().getUpdateConfig().getOrder().equals("start-first")) {
      startFirst.add(service.getId());
    }
    for (Row<ServiceRow> other : state.rows(Rows.SERVICE)) {
      boolean same = other.value().getCurrent().getName().equals(service.getCurrent().getName());
      if (same && !other.value().getId().equals(service.getId())) {
        throw new Violation("two services are named " + service.getCurrent().getName());
      }
    }
  }

  // ---- where tasks go ----

  /** Unless somebody has just changed the node: what lands was decided a moment ago. */
  private static void fits(ClusterState state, PlacementRow placement) {
    TaskIntentRow intent = state.value(Rows.INTENT.key(placement.getTaskId()));
    TemplateRow template = intent == null ? null : state.value(Rows.template(intent.getServiceId(), intent.getTemplate()));
    Row<NodeSpecRow> node = state.row(Rows.NODE_SPEC.key(placement.getNodeId()));
    boolean settled = template != null && node != null && node.modRevision() < state.revision() - A_MOMENT;
    if (settled && !Constraint.allMatch(template.getTask().getPlacement().getConstraintsList(), NodeRecord.find(state, placement.getNodeId()))) {
      throw new Violation("task " + placement.getTaskId() + " is given to " + placement.getNodeId() + ", which does not meet "
          + template.getTask().getPlacement());
    }
  }

  private static void placement(ClusterState state, RowChange change, PlacementRow placement) {
    if (change.before() != null) {
      String before = ((PlacementRow) change.before().value()).getNodeId();
      if (!before.isEmpty() && !before.equals(placement.getNodeId())) {
        throw new Violation("task " + placement.getTaskId() + " moves from node " + before + " to " + placement.getNodeId());
      }
    }
    NodeStatusRow node = placement.getNodeId().isEmpty() ? null : state.value(Rows.NODE_STATUS.key(placement.getNodeId()));
    if (node == null) {
      return;
    }
    fits(state, placement);
    long cpus = 0;
    long memory = 0;
    for (String taskId : state.tasksOfNode(placement.getNodeId())) {
      TaskRecord task = TaskRecord.find(state, taskId);
      if (task != null && !task.terminal()) {
        TemplateRow template = state.value(Rows.template(task.intent().getServiceId(), task.intent().getTemplate()));
        Resources wanted = template == null ? Resources.getDefaultInstance() : template.getTask().getResources().getReservations();
        cpus += wanted.getNanoCpus();
        memory += wanted.getMemoryBytes();
      }
    }
    NodeDescription has = node.getDescription();
    if (cpus > has.getResources().getNanoCpus() || memory > has.getResources().getMemoryBytes()) {
      throw new Violation("node " + placement.getNodeId() + " is over its reservations: " + cpus + " nanocpus and " + memory + " bytes of " + has);
    }
  }
}
