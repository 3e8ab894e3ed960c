package dev.skep.skepd.sim;

import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.Platform;
import dev.skep.api.v1.Resources;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.state.FeedState;
import dev.skep.testkit.sim.Net;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.World;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/** A machine: its engine, its disk, its edge, the process of its agent, and which node of the cluster it is at the moment. */
final class SimNode {
  private static final Duration HAND_OVER = Duration.ofMillis(2); // a unix socket: nothing is lost between two that live
  private static final Duration QUICK_DISK = Duration.ofMillis(1);
  private static final Duration SLOW_DISK = Duration.ofMillis(20);
  static final long CPUS = 4_000_000_000L;
  static final long MEMORY = 4L << 30;

  private final SimCluster cluster;
  private final int number;
  private final SimEngine engine;
  private final SimProcess process;
  private final SimProcess edge;
  private String id = "";
  private AssignmentsMessage disk;
  private FeedState feedDisk = FeedState.empty();
  private boolean writing;
  private boolean writingFeed;
  private FeedState edgeDisk = FeedState.empty();
  private FeedState edgeFeed = FeedState.empty();
  private SimAgent agent;
  private int turns;

  SimNode(SimCluster cluster, int number) {
    this.cluster = cluster;
    this.number = number;
    this.engine = new SimEngine(cluster.world(), "node-" + number, cluster.physics());
    this.process = new SimProcess(cluster.world(), "agent-" + number);
    this.edge = new SimProcess(cluster.world(), "edge-" + number);
    process.onStart(life -> {
      writing = false;
      writingFeed = false;
      agent = id.isEmpty() ? null : new SimAgent(this);
    });
    edge.onStart(life -> {
      edgeFeed = edgeDisk;
      if (agent != null && process.alive()) {
        feedEdge(agent.feed());
      }
    });
  }

  // ---- which node it is ----

  /** Its node id; "" while it is in no cluster. */
  String id() {
    return id;
  }

  boolean member() {
    return !id.isEmpty();
  }

  /** It has a certificate: from now on it is this node. */
  void become(String nodeId) {
    process.note("is node " + nodeId + " now");
    restartAs(nodeId);
  }

  /** {@code swarm leave}: nothing of ours stays on the machine. */
  void leave() {
    process.note("leaves");
    restartAs("");
    forgetFeed();
    engine.purge();
  }

  /** Somebody deletes the data folder; what runs on the engine goes on running. */
  void wipe() {
    process.note("loses its data folder");
    restartAs("");
    forgetFeed();
  }

  private void forgetFeed() {
    boolean alive = edge.alive();
    edge.crash();
    edgeDisk = FeedState.empty();
    edgeFeed = FeedState.empty();
    if (alive) {
      edge.start();
    }
  }

  private void restartAs(String nodeId) {
    boolean alive = process.alive();
    process.crash();
    id = nodeId;
    engine.ownedBy(nodeId);
    disk = null;
    feedDisk = FeedState.empty();
    agent = null;
    if (alive) {
      process.start();
    }
  }

  /** Everything of it runs, for now. */
  void repair() {
    engine.start();
    edge.start();
    process.start();
  }

  // ---- its parts ----

  int number() {
    return number;
  }

  SimEngine engine() {
    return engine;
  }

  SimProcess process() {
    return process;
  }

  SimProcess edge() {
    return edge;
  }

  /** Null while the machine is in no cluster. */
  SimAgent agent() {
    return agent;
  }

  World world() {
    return cluster.world();
  }

  Net net() {
    return cluster.net();
  }

  /** The dispatcher that it goes to at present. */
  Seat seat() {
    List<Seat> seats = cluster.seats();
    return seats.get((number + turns) % seats.size());
  }

  List<Seat> seats() {
    return cluster.seats();
  }

  /** It goes to that one. */
  void choose(Seat seat) {
    if (seats().contains(seat)) { // a migration gives it others
      while (seat() != seat) {
        turns++;
      }
    }
  }

  /** That one cannot serve: on to the next. False when there is none. */
  boolean turn() {
    turns++;
    return cluster.seats().size() > 1;
  }

  boolean mutants(Mutant mutant) {
    return cluster.mutant() == mutant;
  }

  /** The node is up, hears the dispatcher and is heard: what is wrong now is nobody's fault but ours. */
  boolean undisturbed() {
    return member() && process.alive() && !process.standsStill() && engine.up() && !agent.session().isEmpty()
        && net().connected(process, agent.connection().seat().process()) && !agent.connection().seat().process().standsStill()
        && cluster.store().reaches(agent.connection().seat().process());
  }

  AssignmentsMessage disk() {
    return disk;
  }

  /** Not at once: what was to be written may be lost with the process. */
  void write(Supplier<AssignmentsMessage> set) {
    if (!writing && !mutants(Mutant.SET_NOT_KEPT)) {
      writing = true;
      process.after(world().between(QUICK_DISK, SLOW_DISK), () -> {
        writing = false;
        disk = set.get();
      });
    }
  }

  FeedState feedDisk() {
    return feedDisk;
  }

  void writeFeed(Supplier<FeedState> feed) {
    if (!writingFeed && !mutants(Mutant.FEED_NOT_KEPT)) {
      writingFeed = true;
      process.after(world().between(QUICK_DISK, SLOW_DISK), () -> {
        writingFeed = false;
        feedDisk = feed.get();
      });
    }
  }


  String address() {
    return "192.0.2." + number;
  }

  NodeDescription description() {
    return NodeDescription.newBuilder()
        .setHostname("host" + number)
        .setPlatform(Platform.newBuilder().setOs("linux").setArchitecture("x86_64"))
        .setResources(Resources.newBuilder().setNanoCpus(CPUS).setMemoryBytes(MEMORY))
        .build();
  }

  // ---- its edge ----

  /** The agent hands the edge what it knows; the edge keeps it, whatever becomes of the agent. */
  void feedEdge(FeedState feed) {
    world().after(HAND_OVER, edge.bound(() -> {
      boolean older = feed.epoch().equals(edgeFeed.epoch()) && feed.revision() < edgeFeed.revision();
      if (!older && !feed.epoch().isEmpty()) {
        edgeFeed = feed;
        world().after(SLOW_DISK, edge.bound(() -> edgeDisk = edgeFeed));
      }
    }));
  }

  /** The revision that the edge shows, of the epoch. */
  long edgeApplied(String epoch) {
    return edgeFeed.epoch().equals(epoch) ? edgeFeed.revision() : 0;
  }

  FeedState edgeFeed() {
    return edgeFeed;
  }
}
