package dev.skep.skepd.sim;

import dev.skep.dispatcher.core.NodeLife;
import dev.skep.dispatcher.core.Withdrawals;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.sim.SimStore.Landed;
import dev.skep.testkit.sim.Violation;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A container that leaves traffic is stopped only when no edge of a live node sends anything to it any more, or late. */
final class Traffic {
  private static final Duration LONGEST = Withdrawals.LONGEST.minusMillis(300);

  private static final Duration FOUND_AGAIN = Duration.ofSeconds(10);

  /** When the task was told to stop, and how wrong the dispatchers' clocks were then: they measure by those. */
  private record Order(Instant at, List<Duration> skews) {}

  private final SimCluster cluster;
  private final Map<String, Order> orders = new HashMap<>();
  private Instant lastTrouble = Instant.MIN;

  Traffic(SimCluster cluster) {
    this.cluster = cluster;
    cluster.store().watch(this::landed);
  }

  private void landed(Landed landed) {
    for (RowChange change : landed.changes()) {
      if (change.of(Rows.CLUSTER)) {
        restored(); // or confirmed: from now on the edges hear what this store says
      }
      if (change.of(Rows.NODE_STATUS) && (!ready(change.before()) || !ready(change.after()))) {
        lastTrouble = later(lastTrouble, cluster.world().now());
      }
      boolean rewritten = change.of(Rows.INTENT) && change.before() != null && change.after() != null;
      if (rewritten && !stops(change.before().value()) && stops(change.after().value())) {
        orders.put(change.key().lastPart(), new Order(cluster.world().now(), cluster.dispatcherSkews()));
      }
    }
  }

  /** The orders were given by a store that is no more, and the one that is left has to hear first what runs. */
  void restored() {
    orders.clear();
    lastTrouble = cluster.world().now().plus(FOUND_AGAIN);
  }

  private static Instant later(Instant one, Instant other) {
    return one.isAfter(other) ? one : other;
  }

  private static boolean ready(Row<?> node) {
    return node != null && NodeLife.of((NodeStatusRow) node.value()) == NodeLife.READY;
  }

  private boolean allReady(ClusterState state) {
    for (Row<NodeSpecRow> node : state.rows(Rows.NODE_SPEC)) {
      if (NodeLife.of(state, node.key().lastPart()) != NodeLife.READY) {
        return false;
      }
    }
    return true;
  }

  private static boolean stops(Object intent) {
    return ((TaskIntentRow) intent).getDesiredValue() >= TaskState.TASK_SHUTDOWN_VALUE;
  }

  /** The agent is about to stop a running container. */
  void stopping(Container container) {
    ClusterState state = cluster.store().state();
    String task = container.task.getId();
    Order order = orders.get(task);
    boolean judged = order != null
        && state.has(Rows.INTENT.key(task))
        && container.well()
        && state.has(Rows.SERVICE.key(container.task.getServiceId()))
        && order.skews.equals(cluster.dispatcherSkews())
        && order.at.plus(LONGEST).isAfter(cluster.world().now())
        && order.at.isAfter(lastTrouble) // nobody waits for a node that was not heard, and it may be back by now
        && allReady(state);
    if (!judged) {
      return;
    }
    for (SimNode other : cluster.nodes()) {
      boolean sends = other.edgeFeed().endpoint(task).map(endpoint -> endpoint.getServing()).orElse(false);
      if (sends && other.edge().alive() && state.has(Rows.NODE_SPEC.key(other.id()))) {
        throw new Violation(container + " on " + container.nodeId() + " is stopped while the edge of " + other.id() + " still sends traffic to it");
      }
    }
  }
}
