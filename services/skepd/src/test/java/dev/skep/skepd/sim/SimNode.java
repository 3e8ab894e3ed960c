package dev.skep.skepd.sim;

import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.Platform;
import dev.skep.api.v1.Resources;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.state.FeedState;
import dev.skep.testkit.sim.Net;
import dev.skep.testkit.sim.SimProcess;
import java.time.Duration;

/** A machine: its engine, its disk, its edge, and the process of its agent. */
final class SimNode {
  private static final Duration HAND_OVER = Duration.ofMillis(2); // a unix socket: nothing is lost between two that live
  static final long CPUS = 4_000_000_000L;
  static final long MEMORY = 4L << 30;

  private final SimCluster cluster;
  private final String id;
  private final int number;
  private final SimEngine engine;
  private final SimProcess process;
  private final SimProcess edge;
  private AssignmentsMessage disk;
  private FeedState edgeFeed = FeedState.empty();
  private SimAgent agent;

  SimNode(SimCluster cluster, String id, int number) {
    this.cluster = cluster;
    this.id = id;
    this.number = number;
    this.engine = new SimEngine(cluster.world(), "node-" + number, id, cluster.physics());
    this.process = new SimProcess(cluster.world(), "agent-" + number);
    this.edge = new SimProcess(cluster.world(), "edge-" + number);
    process.onStart(life -> agent = new SimAgent(this, cluster::dispatcher));
    edge.onStart(life -> {
      if (agent != null) {
        feedEdge(agent.feed());
      }
    });
  }

  String id() {
    return id;
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

  SimAgent agent() {
    return agent;
  }

  Net net() {
    return cluster.net();
  }

  SimProcess dispatcherProcess() {
    return cluster.dispatcherProcess();
  }

  boolean mutants(Mutant mutant) {
    return cluster.mutant() == mutant;
  }

  AssignmentsMessage disk() {
    return disk;
  }

  void write(AssignmentsMessage set) {
    disk = set;
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

  /** The agent hands the edge what it knows; the edge keeps it, whatever becomes of the agent. */
  void feedEdge(FeedState feed) {
    cluster.world().after(HAND_OVER, edge.bound(() -> {
      if (feed.revision() >= edgeFeed.revision()) {
        edgeFeed = feed;
      }
    }));
  }

  long edgeApplied() {
    return edgeFeed.revision();
  }

  FeedState edgeFeed() {
    return edgeFeed;
  }
}
