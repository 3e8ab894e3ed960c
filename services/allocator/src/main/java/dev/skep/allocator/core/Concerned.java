package dev.skep.allocator.core;

import com.google.protobuf.Message;
import dev.skep.api.v1.PortConfig;
import dev.skep.state.ClusterState;
import dev.skep.state.Delta;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.TaskAddressRow;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a change may concern: networks that may lack a subnet, services that may lack an endpoint, tasks that may lack
 * addresses, nodes that may lack or give up gateways. What failed before is always among them: it is tried again.
 */
final class Concerned {
  final Set<String> networks = new TreeSet<>();
  final Set<String> services = new TreeSet<>();
  final Set<String> tasks = new TreeSet<>();
  final Set<String> placedTasks = new TreeSet<>();
  final Set<String> nodes = new TreeSet<>();
  /** Keys, without the kind's prefix, of gateways that could not be given. */
  final Set<String> gateways = new TreeSet<>();

  private final ClusterState state;

  private Concerned(ClusterState state) {
    this.state = state;
  }

  static Concerned by(ClusterState state, Delta since) {
    Concerned concerned = new Concerned(state);
    state.failed(Rows.POOL).forEach(concerned.networks::add);
    state.failed(Rows.ENDPOINT).forEach(concerned.services::add);
    state.failed(Rows.ADDRESS).forEach(concerned.tasks::add);
    state.failed(Rows.GATEWAY).forEach(concerned.gateways::add);
    if (since.everything()) {
      concerned.everything();
    } else {
      since.changes().forEach(concerned::change);
      concerned.idleGateways(since);
    }
    return concerned;
  }

  private void everything() {
    addAll(Rows.NETWORK, networks);
    addAll(Rows.SERVICE, services);
    addAll(Rows.ENDPOINT, services);
    addAll(Rows.NODE_SPEC, nodes);
    state.rows(Rows.GATEWAY).forEach(row -> nodes.add(row.value().getNodeId()));
    addAll(Rows.ADDRESS, tasks);
    TaskRecord.forEach(
        state,
        task -> {
          if (Addresses.waits(state, task)) {
            tasks.add(task.id());
          }
          if (!task.nodeId().isEmpty()) {
            placedTasks.add(task.id());
          }
        });
  }

  private <T extends Message> void addAll(RowKind<T> kind, Set<String> ids) {
    for (Row<T> row : state.rows(kind)) {
      ids.add(row.key().lastPart());
    }
  }

  private void change(RowChange change) {
    String id = change.key().lastPart();
    if (change.of(Rows.NETWORK)) {
      networks.add(id);
      if (((NetworkRow) change.newest()).getIngress()) {
        addAll(Rows.NODE_SPEC, nodes);
        addAll(Rows.SERVICE, services);
      }
    } else if (change.of(Rows.SERVICE) || change.of(Rows.ROLLOUT)) {
      services.add(id);
    } else if (change.of(Rows.TEMPLATE)) {
      services.add(change.key().parts()[0]);
    } else if (change.of(Rows.NAME) && change.key().parts()[0].equals("port")) {
      holders(change.key().parts()[1], change.key().parts()[2]);
    } else if (change.of(Rows.ADDRESS)) {
      tasks.add(id); // its intent may have come and gone in one delta, after a commit of which nobody knew whether it landed
    } else if (change.of(Rows.ENDPOINT)) {
      services.add(id);
    } else if (change.of(Rows.GATEWAY)) {
      nodes.add(change.key().parts()[0]);
    } else if (change.of(Rows.INTENT)) {
      tasks.add(id);
      PlacementRow placement = change.after() == null ? state.value(Rows.PLACEMENT.key(id)) : null;
      if (placement != null && !placement.getNodeId().isEmpty()) {
        nodes.add(placement.getNodeId());
      }
    } else if (change.of(Rows.PLACEMENT)) {
      placement(change, id);
    } else if (change.of(Rows.NODE_SPEC) || change.of(Rows.NODE_STATUS) && bridges(change)) {
      nodes.add(id);
      if (change.of(Rows.NODE_SPEC) && change.before() == null) {
        state.tasksOfNode(id).forEach(placedTasks::add);
      }
    }
  }

  /** Services that have this port, asked for or given. */
  private void holders(String protocol, String number) {
    for (Row<ServiceEndpointRow> row : state.rows(Rows.ENDPOINT)) {
      for (PortConfig port : row.value().getPortsList()) {
        if (Integer.toString(port.getPublishedPort()).equals(number) && Ports.protocol(port).equals(protocol)) {
          services.add(row.key().lastPart());
        }
      }
    }
  }

  private void placement(RowChange change, String taskId) {
    if (change.before() != null && !((PlacementRow) change.before().value()).getNodeId().isEmpty()) {
      nodes.add(((PlacementRow) change.before().value()).getNodeId());
    }
    if (change.after() != null && !((PlacementRow) change.after().value()).getNodeId().isEmpty()) {
      placedTasks.add(taskId);
    }
  }

  /** Gateways that were kept only because a task without a node might have come to them. */
  private void idleGateways(Delta since) {
    Set<String> left = new TreeSet<>();
    for (RowChange change : since.changes()) {
      if (change.of(Rows.ADDRESS) || change.of(Rows.PLACEMENT) || change.of(Rows.INTENT)) {
        networks(change.of(Rows.ADDRESS) ? change.before() : null, left);
        networks(state.row(Rows.ADDRESS.key(change.key().lastPart())), left);
      }
    }
    if (left.isEmpty()) {
      return;
    }
    for (Row<NodeGatewayRow> gateway : state.rows(Rows.GATEWAY)) {
      String network = gateway.value().getNetworkId();
      if (left.contains(network)) {
        NodeStatusRow status = state.value(Rows.NODE_STATUS.key(gateway.value().getNodeId()));
        if (status == null || !status.getNetworkIdsList().contains(network)) {
          nodes.add(gateway.value().getNodeId());
        }
      }
    }
  }

  private static void networks(Row<?> addresses, Set<String> networks) {
    if (addresses != null) {
      ((TaskAddressRow) addresses.value()).getAddressesList().forEach(address -> networks.add(address.getNetworkId()));
    }
  }

  private static boolean bridges(RowChange change) {
    return change.before() == null
        || change.after() == null
        || !((NodeStatusRow) change.before().value()).getNetworkIdsList().equals(((NodeStatusRow) change.after().value()).getNetworkIdsList());
  }
}
