package dev.skep.allocator.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.RowCursor;
import dev.skep.state.Rows;
import dev.skep.state.Subnet;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A node's own address in each network that it has tasks in, and in the ingress network. It is given up when no task
 * needs it and the node has reported that its bridge is gone.
 */
final class Gateways {
  private final ClusterState state;
  private final Ledger ledger;
  private final Attachments attachments;
  private Set<String> pending;

  Gateways(ClusterState state, Ledger ledger, Attachments attachments) {
    this.state = state;
    this.ledger = ledger;
    this.attachments = attachments;
  }

  /** Gives up what the node does not need any more. */
  void release(String nodeId, Decision.Builder decision) {
    NodeRecord node = NodeRecord.find(state, nodeId);
    Set<String> wanted = null;
    for (Row<NodeGatewayRow> row : state.rows(Rows.GATEWAY, nodeId)) {
      String networkId = row.value().getNetworkId();
      if (node != null && node.status().getNetworkIdsList().contains(networkId)) {
        continue;
      }
      if (wanted == null) {
        wanted = node == null ? Set.of() : wanted(nodeId);
      }
      if (!wanted.contains(networkId) && (node == null || !pending().contains(networkId))) {
        ledger.delete(row.key());
        decision.change(unreported(nodeId, node).delete(row.key()));
      }
    }
  }

  /** The node may be saying at this moment that it has made the bridge. */
  private ChangeSet.Builder unreported(String nodeId, NodeRecord node) {
    ChangeSet.Builder change = ChangeSet.about(nodeId);
    Row<NodeStatusRow> status = node == null ? null : state.row(Rows.NODE_STATUS.key(nodeId));
    return node == null ? change : status == null ? change.absent(Rows.NODE_STATUS.key(nodeId)) : change.unmodified(status);
  }

  /**
   * Networks of tasks that have addresses and no node yet, as far as is known here. The scheduler may be giving one of them to
   * this very node, and the node would be told the gateway that is given up now.
   */
  private Set<String> pending() {
    if (pending == null) {
      pending = new TreeSet<>();
      RowCursor<PlacementRow> placements = new RowCursor<>(state.rows(Rows.PLACEMENT));
      for (Row<TaskAddressRow> row : state.rows(Rows.ADDRESS)) {
        Row<PlacementRow> placement = placements.at(row.key().lastPart());
        if ((placement == null || placement.value().getNodeId().isEmpty()) && !ledger.deletes(row.key())) {
          row.value().getAddressesList().forEach(address -> pending.add(address.getNetworkId()));
        }
      }
    }
    return pending;
  }

  /** Gives the node what it lacks of the networks. */
  void give(String nodeId, Set<String> networks, Decision.Builder decision) {
    if (networks.isEmpty() || !state.has(Rows.NODE_SPEC.key(nodeId))) {
      return;
    }
    for (String networkId : networks) {
      var key = Rows.GATEWAY.key(nodeId, networkId);
      NodeGatewayRow stored = ledger.deletes(key) ? null : state.value(key);
      NetworkPoolRow pool = ledger.pool(networkId);
      if (stored != null && stored.getError().isEmpty() || pool == null || !pool.getError().isEmpty()) {
        continue;
      }
      Book book = ledger.book(networkId);
      long address = book.takeGateway();
      NodeGatewayRow.Builder row = NodeGatewayRow.newBuilder().setNodeId(nodeId).setNetworkId(networkId);
      NodeGatewayRow after = address < 0 ? row.setError(book.exhausted()).build() : row.setAddress(Subnet.text(address)).build();
      if (!after.equals(stored)) {
        decision.change(ChangeSet.about(nodeId).present(Rows.NODE_SPEC.key(nodeId)).put(key, after));
      }
    }
  }

  /** The networks that the node needs an address in. */
  Set<String> wanted(String nodeId) {
    Set<String> wanted = new TreeSet<>();
    if (attachments.ingress() != null) {
      wanted.add(attachments.ingress().getId());
    }
    for (String taskId : state.tasksOfNode(nodeId)) {
      wanted.addAll(ofTask(taskId));
    }
    return wanted;
  }

  /** A task's template can go before it does; its addresses stay until its node has said that it ended. */
  private Set<String> ofTask(String taskId) {
    Set<String> networks = new TreeSet<>();
    TaskAddressRow given = ledger.deletes(Rows.ADDRESS.key(taskId)) ? null : state.value(Rows.ADDRESS.key(taskId));
    if (given != null) {
      given.getAddressesList().forEach(address -> networks.add(address.getNetworkId()));
    }
    TaskIntentRow intent = state.value(Rows.INTENT.key(taskId));
    List<String> asked = intent == null ? null : attachments.of(intent);
    if (asked != null) {
      networks.addAll(asked);
    }
    return networks;
  }
}
