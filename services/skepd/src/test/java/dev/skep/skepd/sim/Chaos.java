package dev.skep.skepd.sim;

import dev.skep.agent.core.Observation.Health;
import dev.skep.skepd.sim.Scenario.Turn;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.World;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** What befalls the cluster while the day is bad. */
final class Chaos {
  private static final Duration MOVES = Duration.ofSeconds(2);

  private final SimCluster cluster;
  private final World world;
  private final RandomGenerator random;
  private final Scenario scenario;
  private final Users users;
  private final Operators operators;
  private boolean over;

  Chaos(SimCluster cluster, Scenario scenario, Users users, Operators operators) {
    this.operators = operators;
    this.cluster = cluster;
    this.world = cluster.world();
    this.scenario = scenario;
    this.users = users;
    this.random = world.split();
    trouble();
    requests();
    if (scenario.has(Turn.NODES_COME_AND_GO)) {
      moves();
    }
    if (scenario.has(Turn.STORE_RESTORED)) {
      world.after(about(scenario.faultTime().dividedBy(2)), () -> {
        if (!over) {
          operators.restore();
        }
      });
    }
    if (scenario.has(Turn.MIGRATED)) {
      world.after(about(scenario.faultTime().dividedBy(2)), () -> {
        if (!over) {
          cluster.migrate(within(20, 4000));
        }
      });
    }
  }

  private void moves() {
    world.after(about(MOVES), () -> {
      if (!over) {
        if (cluster.chooseApi()) {
          operators.act();
        }
        moves();
      }
    });
  }

  private Duration about(Duration mean) {
    return Duration.ofNanos(1 + (long) (mean.toNanos() * 2 * random.nextDouble()));
  }

  private Duration within(long leastMillis, long mostMillis) {
    return Duration.ofMillis(random.nextLong(leastMillis, mostMillis + 1));
  }

  private void requests() {
    world.after(about(scenario.requests()), () -> {
      if (!over) {
        if (cluster.chooseApi()) {
          users.ask();
        }
        requests();
      }
    });
  }

  private void trouble() {
    world.after(about(scenario.trouble()), () -> {
      if (!over) {
        strike();
        trouble();
      }
    });
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private void strike() {
    SimNode node = pick(cluster.nodes());
    switch (random.nextInt(22)) {
      case 0, 1 -> crash(pick(cluster.control()), within(20, 4000));
      case 2 -> crash(node.process(), within(20, 6000));
      case 3 -> crash(node.edge(), within(20, 1500));
      case 4 -> engine(node, within(100, 6000));
      case 5 -> machine(node);
      case 6 -> cut(node);
      case 7 -> pick(everybody()).standStill(within(50, 5000));
      case 8 -> pick(everybody()).setSkew(Duration.ofMillis(random.nextLong(-20_000, 20_000)));
      case 9, 10 -> container(node, 1 + random.nextInt(3));
      case 11 -> container(node, 0);
      case 12 -> removed(node);
      case 13 -> sick(node);
      case 14 -> cluster.replicas().rumour(random);
      case 15 -> cutFromStore(pick(cluster.control()));
      case 16 -> cluster.control().forEach(this::cutFromStore); // nobody has the store
      case 17 -> crash(pick(cluster.seats()).process(), within(20, 3000));
      case 18 -> cutFromLog(pick(cluster.control()));
      case 19 -> logAway();
      case 20 -> cutFromStore(pick(cluster.seats()).process(), within(10_000, 25_000)); // for longer than others wait for its nodes
      default -> move(node);
    }
  }

  private List<SimProcess> everybody() {
    List<SimProcess> all = new ArrayList<>(cluster.control());
    cluster.nodes().forEach(node -> all.add(node.process()));
    return all;
  }

  private void crash(SimProcess process, Duration down) {
    process.crash();
    world.after(down, process::start);
  }

  private void engine(SimNode node, Duration down) {
    node.engine().stop();
    world.after(down, node.engine()::start);
  }

  private void machine(SimNode node) {
    Duration down = within(500, 9000);
    crash(node.process(), down);
    crash(node.edge(), down);
    engine(node, down);
  }

  private void cut(SimNode node) {
    Duration down = within(200, 9000);
    boolean all = random.nextBoolean();
    Seat one = pick(cluster.seats());
    cluster.seats().stream().filter(seat -> all || seat == one).map(Seat::process).forEach(dispatcher -> {
      cluster.net().cut(node.process(), dispatcher);
      world.after(down, () -> cluster.net().heal(node.process(), dispatcher));
    });
  }

  private void move(SimNode node) {
    if (node.member() && node.process().alive() && !node.process().standsStill()) {
      node.agent().connection().move();
    }
  }

  private void cutFromStore(SimProcess process) {
    cutFromStore(process, random.nextInt(8) == 0 ? within(8000, 25_000) : within(200, 8000));
  }

  private void cutFromStore(SimProcess process, Duration time) {
    if (cluster.replicas().shared()) { // an embedded store is part of its process
      cluster.store().cut(process);
      world.after(time, () -> cluster.store().heal(process));
    }
  }

  private void cutFromLog(SimProcess process) {
    if (cluster.replicas().shared()) {
      cluster.log().cut(process);
      world.after(within(200, 8000), () -> cluster.log().heal(process));
    }
  }

  /** No broker, at times for longer than the store keeps what the log does not have. */
  private void logAway() {
    if (cluster.replicas().shared()) {
      cluster.log().away(true);
      world.after(random.nextInt(8) == 0 ? within(10_000, 25_000) : within(200, 6000), () -> {
        if (!over) {
          cluster.log().away(false);
        }
      });
    }
  }

  private void container(SimNode node, long code) {
    List<Container> running = node.engine().running();
    if (!running.isEmpty()) {
      node.engine().exit(pick(running), code);
    }
  }

  private void sick(SimNode node) {
    List<Container> checked = node.engine().running().stream().filter(container -> container.health == Health.HEALTHY).toList();
    if (!checked.isEmpty()) {
      node.engine().health(pick(checked), Health.UNHEALTHY);
    }
  }

  private void removed(SimNode node) {
    List<Container> all = List.copyOf(node.engine().containers());
    if (!all.isEmpty()) {
      node.engine().removeBehindOurBack(pick(all));
    }
  }

  /** The bad day is over: everything is repaired, and nothing breaks any more. */
  void stop() {
    world.note("chaos", "is over");
    over = true;
    cluster.faults().stop();
    cluster.net().healAll();
    cluster.store().healAll();
    cluster.log().healAll();
    cluster.control().forEach(process -> process.setSkew(Duration.ZERO));
    cluster.control().forEach(SimProcess::start);
    for (SimNode node : cluster.nodes()) {
      node.engine().start();
      node.engine().completeImages();
      node.edge().start();
      node.process().setSkew(Duration.ZERO);
      node.process().start();
    }
  }
}
