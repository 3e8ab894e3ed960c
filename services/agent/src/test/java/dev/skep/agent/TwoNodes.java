package dev.skep.agent;

import dev.skep.agent.Scene.Between;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.runtime.Membership.Identity;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** Two agents on two engines, each a host of its own, and the one cluster that a test plays to both. */
@SuppressWarnings("try") // closing waits for processes, which may be interrupted
final class TwoNodes implements AutoCloseable {
  /** Sends one UDP packet (a shell alone would cut it at each line feed) to VXLAN's port; for bash, in any namespace. */
  private static final String SEND = "printf '%s' | dd bs=54 iflag=fullblock status=none > /dev/udp/%s/4789";

  final Scene one;
  final Scene two;

  TwoNodes(PrivateEngine first, PrivateEngine second) throws Exception {
    one = new Scene(first, identity(first, 1));
    two = new Scene(second, identity(second, 2));
    one.begin();
    two.begin();
  }

  /** Both as managers: a worker would look for its dispatcher over the network, and this one is played in the process. */
  private static Identity identity(PrivateEngine engine, int number) {
    return new Identity("cluster1", "node" + number, true, engine.address(), "");
  }

  List<Scene> both() {
    return List.of(one, two);
  }

  private Scene other(Scene scene) {
    return scene == one ? two : one;
  }

  /** Node n's gateway in network k is 10.0.k.25n; node 1's stays 10.0.k.1 as in every other test. */
  static String gateway(Scene node, int n) {
    return "10.0." + n + (node.node.nodeId().equals("node1") ? ".1" : ".252");
  }

  /** The overlay is on this node from now on. */
  void network(Scene node, int n) {
    NetworkAssignment network = Scene.network(n).toBuilder().setGateway(gateway(node, n)).build();
    node.cluster.networks.put(network.getId(), network);
    both().forEach(scene -> scene.feedNetwork(n));
    peers();
  }

  /** Every node's gateways, as they are assigned. */
  private void peers() {
    for (Scene of : both()) {
      Map<String, String> gateways = new java.util.TreeMap<>();
      of.cluster.networks.values().forEach(network -> gateways.put(network.getId(), network.getGateway()));
      both().forEach(scene -> scene.feedPeer(of.node.nodeId(), of.engine.address(), gateways));
    }
  }

  /** A web server that answers with its name; other nodes hear of it as soon as it has an address. */
  void web(Scene node, String id, String address, String service) throws Exception {
    TaskAssignment task = Scene.web(id, address);
    endpoint(node, id, address, service, false);
    node.cluster.assign(task.toBuilder().setNodeId(node.node.nodeId()).build());
    publish();
    node.running(id);
    endpoint(node, id, address, service, true);
  }

  void endpoint(Scene node, String id, String address, String service, boolean serving) {
    String network = "net" + address.split("\\.")[2];
    both().forEach(scene -> scene.feedEndpoint(service, id, node.node.nodeId(), network, address, serving));
  }

  void remove(Scene node, String id) {
    both().forEach(scene -> scene.cluster.feed.remove("endpoint/" + id));
    node.cluster.tasks.remove(id);
    node.cluster.assign();
  }

  void publish() throws Exception {
    one.publish();
    two.publish();
  }

  /** Until it is so: what is asked may need a look of the node at its kernel. */
  void await(String what, Callable<Boolean> question) throws Exception {
    one.cluster.awaitAsking(what, question);
  }

  /** What a web server at the address answers to a container. */
  static String get(Scene node, String from, String address) throws Exception {
    return node.exec(from, "timeout 3 wget -q -O - http://" + address + "/ || echo none");
  }

  /** What it answers to the host itself: what the edge asks for clients of a published port. */
  static String hostGets(Scene node, String address) throws Exception {
    return node.engine.inside("sh", "-c", "busybox timeout 3 busybox wget -q -O - http://" + address + "/ 2>/dev/null || echo none").strip();
  }

  static boolean reaches(Scene node, String from, String address) throws Exception {
    return node.exec(from, "ping -c 1 -W 1 " + address + " >/dev/null && echo yes || echo no").equals("yes");
  }

  /** A program in the network of a task's container, with the host's rights and programs. */
  static String within(Scene node, String task, String... command) throws Exception {
    String pid = node.engine.cli("inspect", "-f", "{{.State.Pid}}", "web.1." + task);
    List<String> line = new java.util.ArrayList<>(List.of("nsenter", "--net=/proc/" + pid + "/ns/net"));
    line.addAll(List.of(command));
    return PrivateEngine.run(line.toArray(String[]::new));
  }

  /** A packet as a member would wrap it, for a container in that network. */
  static String[] forged(int vni, String to, String node) {
    return new String[] {"bash", "-c", SEND.formatted(VxlanPacket.escaped(vni, to), node)};
  }

  /** UDP packets that came to the task's container, for which nobody listened. */
  static long strays(Scene node, String task) throws Exception {
    return Long.parseLong(node.exec(task, "cat /proc/net/snmp").lines().filter(line -> line.startsWith("Udp: ") && !line.contains("NoPorts")).findFirst()
        .orElseThrow().split(" ")[2]);
  }

  void restart(Scene node, Between between) throws Exception {
    node.restart(between);
  }

  @Override
  public void close() throws Exception {
    try {
      one.close();
    } finally {
      two.close();
    }
  }
}
