package dev.skep.skepd.sim;

import dev.skep.dispatcher.core.NodeLife;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.testkit.sim.SimStore.Landed;
import dev.skep.testkit.sim.Violation;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * A node that lives and hears its dispatcher is not taken for down because that one has lost the store, while another one that
 * has it can be reached: its tasks would run twice.
 */
final class Mercy {
  private static final Duration LOOK = Duration.ofMillis(250);
  private static final Duration ENOUGH = Duration.ofSeconds(8); // to hear of it, ask twice, and be believed, on a bad network

  private final SimCluster cluster;
  private final Map<String, Duration> since = new HashMap<>(); // nodes that sit with such a dispatcher

  Mercy(SimCluster cluster) {
    this.cluster = cluster;
    cluster.store().watch(this::landed);
    look();
  }

  private void look() {
    cluster.world().after(LOOK, () -> {
      Set<String> stranded = new HashSet<>();
      if (cluster.replicas().shared()) {
        cluster.nodes().stream().filter(this::stranded).forEach(node -> stranded.add(node.id()));
      }
      since.keySet().retainAll(stranded); // a machine may be another node by now
      stranded.forEach(node -> since.putIfAbsent(node, cluster.world().elapsed()));
      look();
    });
  }

  private boolean stranded(SimNode node) {
    if (!node.member() || !node.process().alive() || node.process().standsStill() || node.agent().session().isEmpty()) {
      return false;
    }
    Seat own = node.agent().connection().seat();
    return serves(node, own) && !cluster.store().reaches(own.process())
        && cluster.seats().stream().anyMatch(seat -> serves(node, seat) && cluster.store().reaches(seat.process()));
  }

  private boolean serves(SimNode node, Seat seat) {
    return cluster.net().connected(node.process(), seat.process()) && !seat.process().standsStill();
  }

  private void landed(Landed landed) {
    for (RowChange change : landed.changes()) {
      if (change.of(Rows.NODE_STATUS) && change.newest() instanceof NodeStatusRow row && dies(change, row)) {
        Duration begun = since.get(row.getNodeId());
        if (begun != null && begun.plus(ENOUGH).compareTo(cluster.world().elapsed()) < 0) {
          throw new Violation(landed.writer() + " takes " + row.getNodeId() + " for down, which hears its dispatcher and could have another: "
              + row.getMessage());
        }
      }
    }
  }

  private static boolean dies(RowChange change, NodeStatusRow row) {
    boolean before = change.before() != null && NodeLife.of((NodeStatusRow) change.before().value()) == NodeLife.DOWN;
    return change.after() != null && NodeLife.of(row) == NodeLife.DOWN && !before && !row.getLeft() && row.getEngineProblem().isEmpty();
  }
}
