package dev.skep.skepd.sim;

import dev.skep.backend.Store.Outcome;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.NodeRecord;
import dev.skep.state.Restored;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.testkit.sim.World;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** People at the machines: they join and take away nodes, wipe disks, and put an old copy of the store in place. The first machine stays. */
final class Operators {
  private static final int MOST_MACHINES = 5;
  private static final int OLDEST_COPY = 150;

  private final SimCluster cluster;
  private final World world;
  private final RandomGenerator random;
  private int ids;

  Operators(SimCluster cluster) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.random = world.split();
    this.ids = cluster.nodes().size();
  }

  /** One thing, of whatever kind. */
  void act() {
    List<SimNode> machines = cluster.nodes();
    SimNode node = machines.get(random.nextInt(machines.size()));
    switch (random.nextInt(8)) {
      case 0, 1 -> join(node.member() && machines.size() < MOST_MACHINES ? cluster.newMachine() : node);
      case 2 -> wipe(node);
      case 3 -> leave(node);
      case 4 -> remove(false);
      case 5 -> remove(true);
      case 6 -> rejoin(node);
      default -> labels();
    }
  }

  /** {@code swarm join}: control-api writes the node's row first; then the machine gets its certificate. */
  void join(SimNode machine) {
    if (machine.member() || !machine.process().alive()) {
      return;
    }
    String id = "node" + ++ids;
    Key<NodeSpecRow> key = Rows.NODE_SPEC.key(id);
    ChangeSet row = ChangeSet.about(id).absent(key).put(key, SimCluster.nodeSpec(id, machine.number() == 1 ? "manager" : "worker")).build();
    world.note("operators", "join machine " + machine.number() + " as " + id);
    cluster.store().submit(cluster.apiProcess(), "api", Transactions.of(List.of(row)), outcome -> {
      if (outcome.isPresent() && outcome.get() instanceof Outcome.Committed && !machine.member()) {
        machine.become(id);
      }
    });
  }

  private void wipe(SimNode machine) {
    if (machine.number() > 1 && machine.member()) {
      machine.wipe();
    }
  }

  private void leave(SimNode machine) {
    if (machine.number() > 1 && machine.member() && machine.engine().up()) {
      machine.leave();
    }
  }

  /** The machine comes back as a new node, with the containers of the old one still on its engine. */
  private void rejoin(SimNode machine) {
    wipe(machine);
    world.after(Duration.ofMillis(random.nextLong(20, 8000)), () -> {
      if (cluster.apiProcess().alive()) {
        join(machine);
      }
    });
  }

  /** {@code node rm}, which wants the node to be down unless it is forced. */
  private void remove(boolean force) {
    List<Row<NodeSpecRow>> nodes = workers(cluster.apiState());
    if (!nodes.isEmpty()) {
      Row<NodeSpecRow> row = nodes.get(random.nextInt(nodes.size()));
      if (force || NodeRecord.find(cluster.apiState(), row.key().lastPart()).down()) {
        remove(row);
      }
    }
  }

  private void remove(Row<NodeSpecRow> row) {
    world.note("operators", "remove " + row.key().lastPart());
    ChangeSet change = ChangeSet.about(row.key().lastPart()).unmodified(row).delete(row.key()).build();
    cluster.store().submit(cluster.apiProcess(), "api", Transactions.of(List.of(change)), outcome -> { });
  }

  private static List<Row<NodeSpecRow>> workers(ClusterState state) {
    List<Row<NodeSpecRow>> workers = new ArrayList<>();
    state.rows(Rows.NODE_SPEC).forEach(row -> {
      if (!row.value().getSpec().getRole().equals("manager")) {
        workers.add(row);
      }
    });
    return workers;
  }

  private void labels() {
    List<Row<NodeSpecRow>> nodes = workers(cluster.apiState());
    if (!nodes.isEmpty()) {
      label(nodes.get(random.nextInt(nodes.size())), random.nextBoolean() ? "a" : "b");
    }
  }

  private void label(Row<NodeSpecRow> row, String zone) {
    NodeSpecRow.Builder labelled = row.value().toBuilder();
    labelled.getSpecBuilder().putLabels("zone", zone);
    world.note("operators", "label " + row.key().lastPart() + " as of zone " + zone);
    ChangeSet change = ChangeSet.about(row.key().lastPart()).unmodified(row).put(row.key(), labelled.build()).build();
    cluster.store().submit(cluster.apiProcess(), "api", Transactions.of(List.of(change)), outcome -> { });
  }

  /** The store is lost; the managers start from a copy of some time ago. */
  void restore() {
    long now = cluster.store().revision();
    long copy = Math.max(Math.max(1, cluster.store().oldest()), now - 1 - random.nextInt(OLDEST_COPY));
    cluster.restore(copy, Duration.ofMillis(random.nextLong(20, 6000)));
    confirm();
  }

  /** Somebody has looked at what would end, and says it again until it was heard. */
  private void confirm() {
    world.after(Duration.ofMillis(random.nextLong(20, 12_000)), () -> {
      if (Restored.unconfirmed(cluster.store().state())) {
        cluster.confirm();
        confirm();
      }
    });
  }

  /** Every node that is listed is a machine, every machine that thinks it is a node is listed, and one has the label that services ask for. */
  void settle() {
    ClusterState state = cluster.apiState();
    Set<String> machines = new HashSet<>();
    for (SimNode machine : cluster.nodes()) {
      if (machine.member() && !state.has(Rows.NODE_SPEC.key(machine.id())) && !cluster.store().state().has(Rows.NODE_SPEC.key(machine.id()))) {
        if (random.nextBoolean()) {
          machine.leave();
        } else {
          machine.wipe();
        }
      }
      if (!machine.member() && (machine.number() == 1 || random.nextBoolean())) {
        join(machine);
      }
      machines.add(machine.id());
    }
    for (Row<NodeSpecRow> row : state.rows(Rows.NODE_SPEC)) {
      String id = row.key().lastPart();
      if (!machines.contains(id)) {
        remove(row);
      } else if (row.value().getSpec().getRole().equals("manager") && !row.value().getSpec().getLabelsMap().containsKey("zone")) {
        label(row, "a");
      }
    }
  }
}
