package dev.skep.agent;

import com.google.protobuf.TextFormat;
import dev.skep.agent.shell.AgentPurge;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.PeerEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.feed.v1.ServiceNetwork;
import dev.skep.runtime.Membership.Identity;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.TestHost;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;

/** An agent on a private engine, and the cluster that a test plays to it. */
@SuppressWarnings("try") // closing waits for processes, which may be interrupted
final class Scene implements AutoCloseable {
  static final Identity NODE = new Identity("cluster1", "node1", true, "192.168.77.1", "");

  final PrivateEngine engine;
  final FakeDispatcher cluster = new FakeDispatcher();
  final Identity node;
  TestHost host;
  /** Where the agent reaches the engine: from its next start on. */
  Path engineSocket;

  Scene(PrivateEngine engine) {
    this(engine, NODE);
  }

  /** One of several nodes. */
  Scene(PrivateEngine engine, Identity node) {
    this.engine = engine;
    this.engineSocket = engine.socket();
    this.node = node;
  }

  private AgentConfig config() {
    return AgentConfig.defaults().withEngine(engineSocket).withCommandPrefix(engine.prefix()).withEdges(0).withWatch(Duration.ofSeconds(1));
  }

  Scene begin() throws Exception {
    host = TestHost.start(new AgentComponent(config()));
    host.serve("dispatcher", cluster);
    host.membership().become(node);
    cluster.await("a session", () -> cluster.assignmentStreams > 0 && cluster.feedStreams > 0);
    return this;
  }

  /** The agent's process ends and another begins where it ended. */
  void restart() throws Exception {
    restart(() -> {});
  }

  interface Between {
    void run() throws Exception;
  }

  void restart(Between between) throws Exception {
    Path folder = host.stop();
    between.run();
    int streams = cluster.assignmentStreams;
    int feeds = cluster.feedStreams;
    host = TestHost.start(folder, Clock.systemUTC(), new AgentComponent(config()));
    host.serve("dispatcher", cluster);
    cluster.await("a session again", () -> cluster.assignmentStreams > streams && cluster.feedStreams > feeds);
  }

  static NetworkAssignment network(int n) {
    return NetworkAssignment.newBuilder()
        .setId("net" + n)
        .setName("overlay" + n)
        .setSubnet("10.0." + n + ".0/24")
        .setGateway("10.0." + n + ".1")
        .setVni(4096 + n)
        .build();
  }

  static TaskAssignment task(String id, String shell, String more) throws Exception {
    return TextFormat.parse(
        """
        id: "%s" service_id: "svc" service_name: "web" slot: 1 node_id: "node1" desired: TASK_RUNNING
        spec { container_spec { image: "busybox:test" command: "/bin/sh" command: "-c" args: "%s" stop_signal: "KILL" } }
        """
                .formatted(id, shell)
            + more,
        TaskAssignment.class);
  }

  static final String WEB = "hostname > /index.html; exec httpd -f -p 80 -h /";

  static TaskAssignment web(String id, String... addresses) throws Exception {
    StringBuilder more = new StringBuilder();
    for (String address : addresses) {
      more.append("attachments { network_id: \"net").append(address.split("\\.")[2]).append("\" address: \"").append(address).append("/24\" }\n");
    }
    TaskAssignment task = task(id, WEB, more.toString());
    return task.toBuilder()
        .setSpec(task.getSpec().toBuilder().setContainerSpec(task.getSpec().getContainerSpec().toBuilder().setHostname(id)))
        .build();
  }

  void feedNetwork(int n) {
    cluster.feed.put(
        "network/net" + n,
        FeedEntry.newBuilder()
            .setKey("network/net" + n)
            .setNetwork(NetworkEntry.newBuilder().setId("net" + n).setName("overlay" + n).setSubnet("10.0." + n + ".0/24").setVni(4096 + n))
            .build());
  }

  void feedService(String id, String network, String vip) {
    cluster.feed.put(
        "service/" + id,
        FeedEntry.newBuilder()
            .setKey("service/" + id)
            .setService(
                ServiceEntry.newBuilder()
                    .setId(id)
                    .setName(id)
                    .setResolution("vip")
                    .addNetworks(ServiceNetwork.newBuilder().setNetworkId(network).setVip(vip)))
            .build());
  }

  void feedEndpoint(String service, String task, String network, String address, boolean serving) {
    feedEndpoint(service, task, "node1", network, address, serving);
  }

  void feedPeer(String id, String address, Map<String, String> gateways) {
    cluster.feed.put(
        "peer/" + id,
        FeedEntry.newBuilder()
            .setKey("peer/" + id)
            .setPeer(PeerEntry.newBuilder().setNodeId(id).setHostname(id).setDataPathAddr(address).putAllGateways(gateways))
            .build());
  }

  void feedEndpoint(String service, String task, String on, String network, String address, boolean serving) {
    cluster.feed.put(
        "endpoint/" + task,
        FeedEntry.newBuilder()
            .setKey("endpoint/" + task)
            .setEndpoint(
                EndpointEntry.newBuilder()
                    .setTaskId(task)
                    .setServiceId(service)
                    .setNodeId(on)
                    .setServing(serving)
                    .addAddresses(EndpointAddress.newBuilder().setNetworkId(network).setAddress(address)))
            .build());
  }

  /** Returns when rules and routes of this node show the feed. */
  void publish() throws Exception {
    long revision = cluster.publish();
    cluster.await("feed " + revision + " applied", () -> cluster.beat.getFeedRevision() >= revision);
  }

  void running(String... tasks) throws Exception {
    for (String task : tasks) {
      cluster.awaitState(task, TaskState.TASK_RUNNING);
    }
  }

  /** What a shell in the task's container prints. */
  String exec(String task, String shell) throws Exception {
    return engine.cli("exec", "web.1." + task, "sh", "-c", "(" + shell + ") 2>/dev/null");
  }

  @Override
  public void close() throws Exception {
    try {
      host.close();
    } finally {
      AgentPurge.purge(engine.socket(), "", engine.prefix());
    }
  }
}
