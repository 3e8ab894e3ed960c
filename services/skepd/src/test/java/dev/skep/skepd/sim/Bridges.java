package dev.skep.skepd.sim;

import dev.skep.agent.core.NetworkWant.Overlay;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.Subnet;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.testkit.sim.Violation;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** No bridge of a member stands for long with an address that the rows gave to somebody else. */
final class Bridges {
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final Duration LONGEST = Duration.ofSeconds(15);

  private final SimCluster cluster;
  private final Map<String, Duration> since = new HashMap<>(); // machine and network, to when it went wrong undisturbed

  Bridges(SimCluster cluster) {
    this.cluster = cluster;
    look();
  }

  private void look() {
    cluster.world().after(LOOK, () -> {
      Map<String, String> held = held(cluster.store().state());
      cluster.nodes().forEach(node -> look(node, held));
      look();
    });
  }

  private void look(SimNode node, Map<String, String> held) {
    node.engine().networks().forEach((id, standing) -> {
      String key = node.number() + "/" + id;
      Optional<String> other = node.undisturbed() ? other(node, standing.overlay(), held) : Optional.empty();
      if (other.isEmpty()) {
        since.remove(key);
        return;
      }
      Duration now = cluster.world().elapsed();
      if (since.computeIfAbsent(key, first -> now).plus(LONGEST).compareTo(now) < 0) {
        throw new Violation("the bridge of " + id + " on machine " + node.number() + " has had " + standing.overlay().gateway() + " for "
            + LONGEST.toSeconds() + " s, which belongs to " + other.get());
      }
    });
  }

  private static Optional<String> other(SimNode node, Overlay overlay, Map<String, String> held) {
    String holder = held.get(overlay.id() + " " + Subnet.addressOf(overlay.gateway()));
    return holder == null || holder.equals(node.id()) ? Optional.empty() : Optional.of(holder);
  }

  /** Network and address, to who has it. */
  private static Map<String, String> held(ClusterState state) {
    Map<String, String> held = new HashMap<>();
    for (Row<NodeGatewayRow> row : state.rows(Rows.GATEWAY)) {
      hold(held, row.value().getNetworkId(), row.value().getAddress(), row.value().getNodeId());
    }
    for (Row<ServiceEndpointRow> row : state.rows(Rows.ENDPOINT)) {
      row.value().getVirtualIpsList().forEach(vip -> hold(held, vip.getNetworkId(), vip.getAddr(), "service " + row.key().lastPart()));
    }
    state.rows(Rows.ADDRESS).forEach(row -> {
      TaskRecord task = TaskRecord.find(state, row.key().lastPart());
      if (task != null && task.holdsAddresses()) {
        row.value().getAddressesList().forEach(address -> hold(held, address.getNetworkId(), address.getAddress(), "task " + task.id()));
      }
    });
    return held;
  }

  private static void hold(Map<String, String> held, String network, String address, String who) {
    if (!address.isEmpty()) {
      held.put(network + " " + Subnet.addressOf(address), who);
    }
  }
}
