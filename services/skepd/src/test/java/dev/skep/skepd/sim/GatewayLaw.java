package dev.skep.skepd.sim;

import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.testkit.sim.SimStore.Landed;
import dev.skep.testkit.sim.Violation;

/**
 * A member's gateway is given up only when the node has said that its bridge is gone, and when none of its tasks holds an
 * address there: it may be frozen, and will make the bridge again with what it was told.
 */
final class GatewayLaw {
  private GatewayLaw() {}

  static void check(Landed landed) {
    for (RowChange change : landed.changes()) {
      if (change.of(Rows.GATEWAY) && change.after() == null) {
        givenUp(landed.before(), (NodeGatewayRow) change.before().value());
      }
    }
  }

  private static void givenUp(ClusterState state, NodeGatewayRow gateway) {
    String node = gateway.getNodeId();
    String network = gateway.getNetworkId();
    NodeStatusRow status = state.value(Rows.NODE_STATUS.key(node));
    if (gateway.getAddress().isEmpty() || !state.has(Rows.NODE_SPEC.key(node))) {
      return;
    }
    if (status != null && status.getNetworkIdsList().contains(network)) {
      throw new Violation("the gateway " + gateway.getAddress() + " of " + node + " in " + network + " is given up while its bridge stands");
    }
    for (String id : state.tasksOfNode(node)) {
      TaskRecord task = TaskRecord.find(state, id);
      boolean there = task != null && task.holdsAddresses()
          && task.addressRow().value().getAddressesList().stream().anyMatch(address -> address.getNetworkId().equals(network));
      if (there) {
        throw new Violation("the gateway " + gateway.getAddress() + " of " + node + " in " + network + " is given up while task " + id + " is there");
      }
    }
  }
}
