package dev.skep.skepd.sim;

import dev.skep.allocator.core.AllocatorDecider;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.OrchestrationConfig;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.dispatcher.core.Orphans;
import dev.skep.orchestrator.core.OrchestratorDecider;
import dev.skep.scheduler.core.SchedulerDecider;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.IdSource;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.Origin;
import dev.skep.testkit.sim.Faults;
import dev.skep.testkit.sim.Net;
import dev.skep.testkit.sim.SimLease;
import dev.skep.testkit.sim.SimLoop;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.SimView;
import dev.skep.testkit.sim.Violation;
import dev.skep.testkit.sim.World;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** A cluster: its store, its control services in one process or in many, its nodes. */
final class SimCluster {
  static final String CLUSTER_ID = "cluster";
  private static final List<String> LOOPS = List.of("orchestrator", "allocator", "scheduler", "dispatcher");
  private static final int MANAGERS = 3;
  private static final int APIS = 2;
  private static final Duration NOTICED = Duration.ofMillis(30);

  private record Holder(SimProcess process, SimLoop loop, String id) {}

  private final World world;
  private final Faults faults;
  private final Mutant mutant;
  private final Scenario scenario;
  private final Net net;
  private final SimStore store;
  private final Law law = new Law();
  private final Physics physics;
  private final Traffic traffic;
  private final IdSource ids;
  private final List<SimProcess> control = new ArrayList<>();
  private final List<SimNode> nodes = new ArrayList<>();
  private final Map<String, List<Holder>> loops = new TreeMap<>();
  private int epochs = 1;
  private SimProcess api;
  private SimProcess dispatcherProcess;
  private final Map<SimProcess, SimView> apis = new LinkedHashMap<>(); // by process, as its present life sees the cluster
  private final RandomGenerator choice;
  private SimDispatcher dispatcher;

  SimCluster(World world, Scenario scenario, Mutant mutant) {
    this.world = world;
    this.scenario = scenario;
    this.mutant = mutant;
    this.faults = new Faults(scenario.rates());
    this.net = new Net(world, faults);
    this.store = new SimStore(world, faults);
    this.ids = new IdSource(world.split());
    this.choice = world.split();
    store.watch(law::check);
    store.watch(GatewayLaw::check);
    this.traffic = new Traffic(this);
    this.physics = new Physics(store, traffic);
    Mutants.plant(mutant, store);
    init();
    processes();
    new Bridges(this);
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
    control.forEach(SimProcess::crash);
    ClusterState lost = store.state();
    store.restore(revision);
    ClusterRow row = store.state().value(Rows.cluster()).toBuilder()
        .setEpoch("epoch-" + ++epochs).setOrigin(Origin.newBuilder().setUnconfirmed(true)).build();
    store.commit("api", Transactions.of(List.of(ChangeSet.about(CLUSTER_ID).put(Rows.cluster(), row).build())));
    physics.restored(lost, store.state());
    law.restored(store.state());
    traffic.restored();
    world.after(down, () -> control.forEach(SimProcess::start));
  }

  /** The operator's word. It may be lost, or come when nobody listens. */
  void confirm() {
    Row<ClusterRow> row = apiState().row(Rows.cluster());
    if (!api.alive() || row == null || !row.value().getOrigin().getUnconfirmed()) {
      return;
    }
    ClusterRow.Builder confirmed = row.value().toBuilder();
    confirmed.getOriginBuilder().clearUnconfirmed();
    world.note("operators", "confirm the restore");
    store.submit(api, "api", Transactions.of(List.of(ChangeSet.about(CLUSTER_ID).unmodified(row).put(Rows.cluster(), confirmed.build()).build())),
        outcome -> { });
  }

  private void processes() {
    if (scenario.together()) {
      SimProcess skepd = new SimProcess(world, "skepd").onStart(process -> {
        SimView view = view(process);
        apis.put(process, view);
        LOOPS.forEach(loop -> loop(process, view, loop, Optional.empty()));
        dispatcher = new SimDispatcher(process, store, view, mutant);
      });
      control.add(skepd);
      api = skepd;
      dispatcherProcess = skepd;
    } else {
      if (scenario.form() == Scenario.Form.MANAGERS) {
        for (int i = 1; i <= MANAGERS; i++) {
          deciding("manager-" + i, LOOPS);
        }
      } else {
        LOOPS.forEach(loop -> {
          deciding(loop + "-loop-1", List.of(loop));
          deciding(loop + "-loop-2", List.of(loop));
        });
      }
      for (int i = 1; i <= APIS; i++) {
        control.add(new SimProcess(world, "api-" + i).onStart(process -> apis.put(process, view(process))));
      }
      api = control.getLast();
      dispatcherProcess = new SimProcess(world, "dispatcher").onStart(process -> dispatcher = new SimDispatcher(process, store, view(process), mutant));
      control.add(dispatcherProcess);
    }
    control.forEach(SimProcess::start);
    nodes.forEach(node -> {
      node.edge().start();
      node.process().start();
    });
  }

  /** A process with these loops, on a store that others have, too. */
  private void deciding(String name, List<String> all) {
    control.add(new SimProcess(world, name).onStart(process -> {
      SimView view = view(process);
      Optional<SimLease> lease = Optional.of(new SimLease(process, store));
      all.forEach(loop -> loop(process, view, loop, lease));
    }));
  }

  private SimView view(SimProcess process) {
    SimView view = new SimView(world, faults, store, process);
    if (mutant == Mutant.MISSED_CHANGE) {
      view.swallow(revision -> (revision * 0x9E3779B9L >>> 8) % 30 == 0);
    }
    return view;
  }

  private void loop(SimProcess process, SimView view, String name, Optional<SimLease> lease) {
    Decider decider = Mutants.mutated(mutant, switch (name) {
      case "orchestrator" -> new OrchestratorDecider();
      case "allocator" -> new AllocatorDecider();
      case "scheduler" -> new SchedulerDecider();
      default -> new Orphans();
    }, name);
    String id = ids.next();
    SimLoop loop = new SimLoop(process, store, view, name, id, lease, decider, (object, why) -> {
      if (!why.startsWith("its changes met a conflict")) {
        throw new Violation(name + " failed on " + object + ": " + why);
      }
    });
    Holder holder = new Holder(process, loop, id);
    loops.computeIfAbsent(name, key -> new ArrayList<>()).add(holder);
    process.onDeath(() -> {
      loops.get(name).remove(holder);
      ended(name, id);
    });
    if (lease.isPresent()) {
      // Who starts finds the row of a holder that may have ended while nobody was there to notice.
      process.after(NOTICED, () -> lookFor(process, name, loop));
    }
  }

  private void ended(String name, String id) {
    world.after(NOTICED, () -> loops.get(name).forEach(other -> other.loop.holderEnded(id)));
  }

  /** A standby calls the holder's address now and then. */
  private void lookFor(SimProcess process, String name, SimLoop loop) {
    var row = store.state().value(Rows.LEADER.key(name));
    if (row != null && loops.get(name).stream().noneMatch(holder -> holder.id.equals(row.getHolder()))) {
      loop.holderEnded(row.getHolder());
    }
    process.after(Duration.ofSeconds(1), () -> lookFor(process, name, loop));
  }

  /** Somebody believes that the holder of a loop has ended, though it has not. */
  void rumour(String name) {
    var row = store.state().value(Rows.LEADER.key(name));
    if (row != null && !scenario.together()) {
      world.note("rumour", "the holder of " + name + " has ended");
      loops.get(name).stream().filter(holder -> !holder.id.equals(row.getHolder())).forEach(holder -> holder.loop.holderEnded(row.getHolder()));
    }
  }

  /** How the loops stand: for the reader of a failure. */
  String loopsNow() {
    StringBuilder text = new StringBuilder();
    loops.forEach((name, holders) -> holders.forEach(holder ->
        text.append("\n    ").append(name).append(" in ").append(holder.process.name()).append(holder.loop.core().leading() ? " leads " : " waits ")
            .append(holder.loop.core().counts()).append(' ').append(holder.loop.core().quarantined())));
    nodes.forEach(node -> text.append("\n    machine ").append(node.number()).append(": ").append(node.agent()));
    return text.append("\n    ").append(dispatcher).toString();
  }

  List<String> loopNames() {
    return LOOPS;
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

  List<SimProcess> control() {
    return control;
  }

  List<SimNode> nodes() {
    return nodes;
  }

  SimProcess apiProcess() {
    return api;
  }

  /** The next request goes to any control-api that lives. False when there is none. */
  boolean chooseApi() {
    List<SimProcess> alive = apis.keySet().stream().filter(SimProcess::alive).toList();
    if (!alive.isEmpty()) {
      api = alive.get(choice.nextInt(alive.size()));
    }
    return !alive.isEmpty();
  }

  /** What the control-api that is asked sees. */
  ClusterState apiState() {
    return apis.get(api).state();
  }

  SimProcess dispatcherProcess() {
    return dispatcherProcess;
  }

  SimDispatcher dispatcher() {
    return dispatcher;
  }
}
