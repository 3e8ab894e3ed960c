package dev.skep.skepd.sim;

import dev.skep.dispatcher.core.NodeLife;
import dev.skep.dispatcher.core.Withdrawals;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.sim.SimStore.Landed;
import dev.skep.testkit.sim.Violation;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** A container that leaves traffic is stopped only when no edge of a live node sends anything to it any more, or late. */
final class Traffic {
  private static final Duration LONGEST = Withdrawals.LONGEST.minusMillis(300);

  /** When the task was told to stop, and how wrong the dispatcher's clock was then: it measures by that clock. */
  private record Order(Instant at, Duration skew) {}

  private final SimCluster cluster;
  private final Map<String, Order> orders = new HashMap<>();
  private Instant lastTrouble = Instant.MIN;

  Traffic(SimCluster cluster) {
    this.cluster = cluster;
    cluster.store().watch(this::landed);
  }

  private void landed(Landed landed) {
    for (RowChange change : landed.changes()) {
      if (change.of(Rows.NODE_STATUS) && (!ready(change.before()) || !ready(change.after()))) {
        lastTrouble = cluster.world().now();
      }
      boolean rewritten = change.of(Rows.INTENT) && change.before() != null && change.after() != null;
      if (rewritten && !stops(change.before().value()) && stops(change.after().value())) {
        orders.put(change.key().lastPart(), new Order(cluster.world().now(), cluster.dispatcherProcess().skew()));
      }
    }
  }

  private static boolean ready(Row<?> node) {
    return node != null && NodeLife.of((NodeStatusRow) node.value()) == NodeLife.READY;
  }

  private boolean allReady(ClusterState state) {
    return cluster.nodes().stream().allMatch(node -> NodeLife.of(state, node.id()) == NodeLife.READY);
  }

  private static boolean stops(Object intent) {
    return ((TaskIntentRow) intent).getDesiredValue() >= TaskState.TASK_SHUTDOWN_VALUE;
  }

  /** The agent is about to stop a running container. */
  void stopping(String node, Container container) {
    ClusterState state = cluster.store().state();
    String task = container.task.getId();
    Order order = orders.get(task);
    boolean judged = order != null
        && state.has(Rows.INTENT.key(task))
        && state.has(Rows.SERVICE.key(container.task.getServiceId()))
        && order.skew.equals(cluster.dispatcherProcess().skew())
        && order.at.plus(LONGEST).isAfter(cluster.world().now())
        && order.at.isAfter(lastTrouble) // nobody waits for a node that was not heard, and it may be back by now
        && allReady(state);
    if (!judged) {
      return;
    }
    for (SimNode other : cluster.nodes()) {
      boolean sends = other.edgeFeed().endpoint(task).map(endpoint -> endpoint.getServing()).orElse(false);
      if (sends && other.edge().alive()) {
        throw new Violation(container + " on " + node + " is stopped while the edge of " + other.id() + " still sends traffic to it");
      }
    }
  }
}
