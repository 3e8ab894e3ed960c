package dev.skep.skepd.sim;

import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.OrchestrationConfig;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.testkit.sim.Faults;
import dev.skep.testkit.sim.Net;
import dev.skep.testkit.sim.SimLog;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.World;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A cluster: its store and its log, its control services in one process or in many, its nodes. */
final class SimCluster {
  static final String CLUSTER_ID = "cluster";

  private final World world;
  private final Faults faults;
  private final Mutant mutant;
  private final Scenario scenario;
  private final Net net;
  private final SimStore store;
  private final SimLog log;
  private final Law law = new Law();
  private final SessionLaw sessions;
  private final Elections elections = new Elections();
  private final LogLaw history;
  private final Physics physics;
  private final Traffic traffic;
  private final Refill refill;
  private final Replicas replicas;
  private final List<SimNode> nodes = new ArrayList<>();

  SimCluster(World world, Scenario scenario, Mutant mutant) {
    this.world = world;
    this.scenario = scenario;
    this.mutant = mutant;
    this.faults = new Faults(scenario.rates());
    this.net = new Net(world, faults);
    this.store = new SimStore(world, faults);
    this.log = new SimLog(world, faults);
    this.sessions = new SessionLaw(world);
    this.refill = new Refill(this);
    this.replicas = new Replicas(this);
    store.watch(landed -> {
      if (!landed.writer().equals(Refill.WRITER)) { // what is poured into a store was lawful when it was written
        law.check(landed);
        sessions.check(landed);
        elections.check(landed);
        GatewayLaw.check(landed);
      }
    });
    this.history = new LogLaw(this, scenario.seed());
    this.traffic = new Traffic(this);
    this.physics = new Physics(store, traffic);
    Mutants.plant(mutant, store, log);
    init();
    replicas.make(scenario.form());
    replicas.processes().forEach(SimProcess::start);
    nodes.forEach(node -> {
      node.edge().start();
      node.process().start();
    });
    new Bridges(this);
    new Mercy(this);
  }

  // ---- what stands before the first event ----

  private void init() {
    ChangeSet.Builder rows = ChangeSet.about(CLUSTER_ID)
        .put(Rows.cluster(), ClusterRow.newBuilder()
            .setId(CLUSTER_ID)
            .setEpoch("epoch-1")
            .addDefaultAddrPool("10.0.0.0/8")
            .setSubnetSize(scenario.subnetBits())
            .setSpec(SwarmSpec.newBuilder().setOrchestration(OrchestrationConfig.newBuilder().setTaskHistoryRetentionLimit(scenario.history())))
            .build())
        .put(Rows.NETWORK.key("ingress"), NetworkRow.newBuilder().setId("ingress").setName("ingress").setIngress(true).build());
    for (int i = 1; i <= scenario.nodes(); i++) {
      SimNode node = new SimNode(this, i);
      node.become("node" + i);
      nodes.add(node);
      rows.put(Rows.NODE_SPEC.key(node.id()), nodeSpec(node));
    }
    store.commit("api", Transactions.of(List.of(rows.build())));
  }

  /** What {@code Admit} writes. The first machine is the manager's own. */
  static NodeSpecRow nodeSpec(SimNode node) {
    String role = node.number() == 1 ? "manager" : "worker";
    return nodeSpec(node.id(), role);
  }

  static NodeSpecRow nodeSpec(String id, String role) {
    return NodeSpecRow.newBuilder().setId(id).setSpec(NodeSpec.newBuilder().setAvailability("active").setRole(role)).build();
  }

  /** One more machine, in no cluster yet. */
  SimNode newMachine() {
    SimNode node = new SimNode(this, nodes.size() + 1);
    nodes.add(node);
    node.edge().start();
    node.process().start();
    return node;
  }

  /** All managers are stopped, and an older copy of the store takes the place of theirs, under a new epoch, and waits to be confirmed. */
  void restore(long revision, Duration down) {
    world.note("operators", "restore what was at " + revision);
    moved(revision, true);
    world.after(down, () -> replicas.processes().forEach(SimProcess::start));
  }

  /** The manager is stopped, its store is copied to one that several can share, and several managers start on that. */
  void migrate(Duration down) {
    world.note("operators", "migrate");
    moved(store.revision(), false);
    replicas.make(Scenario.Form.MANAGERS);
    // The others join while the first one works.
    List<SimProcess> managers = replicas.processes();
    for (int i = 0; i < managers.size(); i++) {
      world.after(down.multipliedBy(i + 1), managers.get(i)::start);
    }
  }

  private void moved(long revision, boolean unconfirmed) {
    replicas.processes().forEach(SimProcess::crash);
    ClusterState before = store.state();
    refill.fill(revision, unconfirmed);
    physics.moved(before, store.state());
    law.restored(store.state());
    elections.replaced();
    traffic.restored();
  }

  /** The operator's word. It may be lost, or come when nobody listens. */
  void confirm() {
    Row<ClusterRow> row = apiState().row(Rows.cluster());
    if (!apiProcess().alive() || row == null || !row.value().getOrigin().getUnconfirmed()) {
      return;
    }
    ClusterRow.Builder confirmed = row.value().toBuilder();
    confirmed.getOriginBuilder().clearUnconfirmed();
    world.note("operators", "confirm the restore");
    store.submit(apiProcess(), "api", Transactions.of(List.of(ChangeSet.about(CLUSTER_ID).unmodified(row).put(Rows.cluster(), confirmed.build()).build())),
        outcome -> { });
  }

  /** How all stand: for the reader of a failure. */
  String standing() {
    StringBuilder text = new StringBuilder(replicas.toString());
    nodes.forEach(node -> text.append("\n    machine ").append(node.number()).append(": ").append(node.agent()));
    return text.toString();
  }

  World world() {
    return world;
  }

  Faults faults() {
    return faults;
  }

  Mutant mutant() {
    return mutant;
  }

  Net net() {
    return net;
  }

  SimStore store() {
    return store;
  }

  Law law() {
    return law;
  }

  Physics physics() {
    return physics;
  }

  SimLog log() {
    return log;
  }

  Elections elections() {
    return elections;
  }

  Replicas replicas() {
    return replicas;
  }

  List<SimProcess> control() {
    return replicas.processes();
  }

  List<Seat> seats() {
    return replicas.seats();
  }

  List<SimNode> nodes() {
    return nodes;
  }

  SimProcess apiProcess() {
    return replicas.api();
  }

  /** The next request goes to any control-api that lives. False when there is none. */
  boolean chooseApi() {
    return replicas.chooseApi();
  }

  /** What the control-api that is asked sees. */
  ClusterState apiState() {
    return replicas.apiState();
  }

  /** What the log lacks, when there is one. */
  Optional<String> logProblem() {
    return replicas.shared() ? history.problem() : Optional.empty();
  }

  /** How wrong the dispatchers' clocks are: what one of them holds back it holds back by its own. */
  List<Duration> dispatcherSkews() {
    return seats().stream().map(seat -> seat.process().skew()).toList();
  }
}
