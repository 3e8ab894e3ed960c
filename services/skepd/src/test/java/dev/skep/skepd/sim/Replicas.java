package dev.skep.skepd.sim;

import dev.skep.allocator.core.AllocatorDecider;
import dev.skep.dispatcher.core.Orphans;
import dev.skep.orchestrator.core.OrchestratorDecider;
import dev.skep.scheduler.core.SchedulerDecider;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.IdSource;
import dev.skep.state.Restored;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.testkit.sim.SimLease;
import dev.skep.testkit.sim.SimLog;
import dev.skep.testkit.sim.SimLoop;
import dev.skep.testkit.sim.SimProcess;
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
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/** The control services: which processes there are, and what of them lives in each. */
final class Replicas {
  private static final List<String> DECIDERS = List.of("orchestrator", "allocator", "scheduler");
  private static final String ORPHANS = "dispatcher";
  private static final String LIVENESS = "liveness";
  private static final String RELAY = "relay";
  private static final int MANAGERS = 3;
  private static final int EACH = 2;
  private static final Duration NOTICED = Duration.ofMillis(30);

  private record Holder(SimProcess process, SimLoop loop, String id) {}

  private final SimCluster cluster;
  private final World world;
  private final Mutant mutant;
  private final IdSource ids;
  private final RandomGenerator choice;
  private final List<SimProcess> processes = new ArrayList<>();
  private final List<Seat> seats = new ArrayList<>();
  private final Map<String, List<Holder>> loops = new TreeMap<>();
  private final Map<SimProcess, SimView> apis = new LinkedHashMap<>(); // by process, as its present life sees the cluster
  private final Map<SimProcess, SimRelay> relays = new LinkedHashMap<>();
  private SimProcess api;
  private boolean shared;

  Replicas(SimCluster cluster) {
    this.cluster = cluster;
    this.world = cluster.world();
    this.mutant = cluster.mutant();
    this.ids = new IdSource(world.split());
    this.choice = world.split();
  }

  /** Processes of another form take the place of those that were. */
  void make(Scenario.Form form) {
    processes.forEach(SimProcess::retire);
    processes.clear();
    seats.clear();
    apis.clear();
    relays.clear();
    shared = form != Scenario.Form.ONE_MACHINE;
    switch (form) {
      case ONE_MACHINE -> whole("skepd");
      case MANAGERS -> {
        for (int i = 1; i <= MANAGERS; i++) {
          whole("manager-" + i);
        }
      }
      case ONE_EACH -> {
        for (int i = 1; i <= EACH; i++) {
          alone(i);
        }
      }
    }
    api = apis.keySet().iterator().next();
  }

  /** All of them in one process, as skepd is. */
  private void whole(String name) {
    SimProcess made = new SimProcess(world, name);
    Seat seat = new Seat(made);
    processes.add(made.onStart(process -> {
      Optional<SimLease> lease = lease(process);
      SimView view = view(process, Optional.empty());
      apis.put(process, view);
      DECIDERS.forEach(loop -> loop(process, view, loop, lease, decider(loop), Restored::acts));
      dispatcher(seat, process, view, lease);
      if (shared) {
        relay(process, view, lease);
      }
    }));
    seats.add(seat);
    apis.put(made, null);
  }

  /** Each in a process of its own: those that only decide follow the log. */
  private void alone(int number) {
    for (String loop : DECIDERS) {
      processes.add(new SimProcess(world, loop + "-" + number).onStart(process ->
          loop(process, view(process, Optional.of(cluster.log())), loop, lease(process), decider(loop), Restored::acts)));
    }
    SimProcess dispatcher = new SimProcess(world, "dispatcher-" + number);
    Seat seat = new Seat(dispatcher);
    seats.add(seat);
    processes.add(dispatcher.onStart(process -> dispatcher(seat, process, view(process, Optional.empty()), lease(process))));
    processes.add(new SimProcess(world, "relay-" + number).onStart(process -> relay(process, view(process, Optional.empty()), lease(process))));
    SimProcess made = new SimProcess(world, "api-" + number);
    apis.put(made, null);
    processes.add(made.onStart(process -> apis.put(process, view(process, Optional.empty()))));
  }

  private Optional<SimLease> lease(SimProcess process) {
    return shared ? Optional.of(new SimLease(process, cluster.store())) : Optional.empty();
  }

  private SimView view(SimProcess process, Optional<SimLog> log) {
    SimView view = new SimView(world, cluster.faults(), cluster.store(), log, process);
    if (mutant == Mutant.MISSED_CHANGE) {
      view.swallow(revision -> (revision * 0x9E3779B9L >>> 8) % 30 == 0);
    }
    if (mutant == Mutant.LOG_GAP_TAKEN) {
      view.takeGaps();
    }
    return view;
  }

  private void dispatcher(Seat seat, SimProcess process, SimView view, Optional<SimLease> lease) {
    loop(process, view, ORPHANS, lease, new Orphans(), Restored::acts);
    if (shared) {
      SimLoop judging = loop(process, view, LIVENESS, lease, (state, since, tick) -> Decision.NOTHING, state -> state.has(Rows.cluster()));
      seat.lives(new SimDispatcher(cluster, process, view, lease, judging.core()::leading));
    } else {
      seat.lives(new SimDispatcher(cluster, process, view, lease, () -> true));
    }
  }

  private void relay(SimProcess process, SimView view, Optional<SimLease> lease) {
    SimRelay relay = new SimRelay(cluster, process, view);
    relays.put(process, relay);
    loop(process, view, RELAY, lease, relay.decider(), Restored::acts);
  }

  private static Decider decider(String name) {
    return switch (name) {
      case "orchestrator" -> new OrchestratorDecider();
      case "allocator" -> new AllocatorDecider();
      case "scheduler" -> new SchedulerDecider();
      default -> throw new IllegalArgumentException(name);
    };
  }

  private SimLoop loop(SimProcess process, SimView view, String name, Optional<SimLease> lease, Decider real, Predicate<ClusterState> acts) {
    String id = ids.next();
    Decider planted = Mutants.mutated(mutant, real, name, cluster.store());
    Decider decider = (state, since, tick) -> {
      cluster.elections().decides(name, id, state.revision());
      return planted.decide(state, since, tick);
    };
    Predicate<ClusterState> concerned = mutant == Mutant.LOOPS_ACT_UNCONFIRMED ? state -> state.has(Rows.cluster()) : acts;
    SimLoop loop = new SimLoop(process, cluster.store(), view, name, id, lease, decider, concerned, (object, why) -> {
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
    return loop;
  }

  private void ended(String name, String id) {
    world.after(NOTICED, () -> loops.get(name).forEach(other -> other.loop.holderEnded(id)));
  }

  /** A standby calls the holder's address now and then. */
  private void lookFor(SimProcess process, String name, SimLoop loop) {
    LeaderRow row = cluster.store().state().value(Rows.LEADER.key(name));
    if (row != null && loops.get(name).stream().noneMatch(holder -> holder.id.equals(row.getHolder()))) {
      loop.holderEnded(row.getHolder());
    }
    process.after(Duration.ofSeconds(1), () -> lookFor(process, name, loop));
  }

  /** Somebody believes that the holder of a loop has ended, though it has not. */
  void rumour(RandomGenerator random) {
    List<String> names = List.copyOf(loops.keySet());
    String name = names.get(random.nextInt(names.size()));
    LeaderRow row = cluster.store().state().value(Rows.LEADER.key(name));
    if (row != null && shared) {
      world.note("rumour", "the holder of " + name + " has ended");
      loops.get(name).stream().filter(holder -> !holder.id.equals(row.getHolder())).forEach(holder -> holder.loop.holderEnded(row.getHolder()));
    }
  }

  // ---- who there is ----

  List<SimProcess> processes() {
    return processes;
  }

  /** The dispatchers, as nodes know them. */
  List<Seat> seats() {
    return seats;
  }

  /** Others can open the store, too, and there is a log. */
  boolean shared() {
    return shared;
  }

  SimProcess api() {
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
    SimView view = apis.get(api); // null while it has never lived
    return view == null ? ClusterState.empty() : view.state();
  }

  /** How they stand: for the reader of a failure. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    loops.forEach((name, holders) -> holders.forEach(holder ->
        text.append("\n    ").append(name).append(" in ").append(holder.process.name()).append(holder.loop.core().leading() ? " leads " : " waits ")
            .append(holder.loop.core().counts()).append(' ').append(holder.loop.core().quarantined())));
    seats.forEach(seat -> text.append("\n    ").append(seat.dispatcher()));
    relays.values().forEach(relay -> text.append("\n    ").append(relay));
    return text.toString();
  }
}
