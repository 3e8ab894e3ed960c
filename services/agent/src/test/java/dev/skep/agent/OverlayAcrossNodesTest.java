package dev.skep.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.state.v1.TaskState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Overlays over two hosts, with real engines, kernels and containers. */
@Tag("engine")
@Tag("slow")
@Timeout(180)
class OverlayAcrossNodesTest {
  private static PrivateEngine first;
  private static PrivateEngine second;
  private TwoNodes nodes;
  private Scene one;
  private Scene two;

  @BeforeAll
  static void startEngines() throws Exception {
    first = PrivateEngine.start();
    second = PrivateEngine.beside(first, 2);
  }

  @AfterAll
  static void stopEngines() throws Exception {
    try {
      if (second != null) {
        second.close();
      }
    } finally {
      first.close();
    }
  }

  @BeforeEach
  void begin() throws Exception {
    nodes = new TwoNodes(first, second);
    one = nodes.one;
    two = nodes.two;
  }

  @AfterEach
  void end() throws Exception {
    nodes.close();
  }

  /** 10.0.1.2 leads to w1 on node 1 and w2 on node 2; c1 and c2 are clients. */
  private void web() throws Exception {
    nodes.network(one, 1);
    nodes.network(two, 1);
    nodes.both().forEach(node -> node.feedService("web", "net1", "10.0.1.2"));
    nodes.web(one, "w1", "10.0.1.11", "web");
    nodes.web(two, "w2", "10.0.1.12", "web");
    nodes.web(one, "c1", "10.0.1.21", "client");
    nodes.web(two, "c2", "10.0.1.22", "client");
    nodes.publish();
  }

  private static void assertAlternates(List<String> answers) {
    assertThat(answers).containsOnly("w1", "w2");
    for (int i = 1; i < answers.size(); i++) {
      assertThat(answers.get(i)).as("answers %s", answers).isNotEqualTo(answers.get(i - 1));
    }
  }

  private static List<String> ask(Scene node, String from) throws Exception {
    List<String> answers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      answers.add(TwoNodes.get(node, from, "10.0.1.2"));
    }
    return answers;
  }

  private static String devices(PrivateEngine engine) throws Exception {
    return engine.inside("cut", "-d:", "-f1", "/proc/net/dev");
  }

  private static String neighbours(Scene node) throws Exception {
    return node.engine.inside("ip", "neigh", "show", "nud", "permanent");
  }

  private static String forwarding(Scene node) throws Exception {
    return node.engine.inside("bridge", "fdb", "show", "dev", "skx4097");
  }

  @Test
  void containersAndVirtualAddressesReachAcrossHosts() throws Exception {
    web();
    first.insideQuiet("conntrack", "-D", "-p", "udp", "--dport", "4789"); // of tests that took the rules away
    assertThat(TwoNodes.get(one, "c1", "10.0.1.12")).isEqualTo("w2");
    assertThat(TwoNodes.get(two, "c2", "10.0.1.11")).isEqualTo("w1");
    for (String bridged : List.of("0", "1")) {
      for (Scene node : nodes.both()) {
        node.engine.inside("sysctl", "-q", "-w", "net.bridge.bridge-nf-call-iptables=" + bridged);
      }
      assertAlternates(ask(one, "c1"));
      assertAlternates(ask(two, "c2"));
      assertAlternates(ask(one, "w1"));
      assertAlternates(ask(two, "w2"));
    }
    assertThat(one.engine.inside("cat", "/proc/net/nf_conntrack")).as("tunnels are not tracked").doesNotContain("dport=4789 ");
    assertThat(one.engine.inside("ip", "link", "show", "skb4097")).contains("02:42:0a:00:01:01");
  }

  /** What the edge does for a published port: it asks from the host, with the node's own address in the network. */
  @Test
  void aNodeWithoutATaskReachesTheTasksOfAnother() throws Exception {
    nodes.network(one, 1);
    nodes.network(two, 1);
    one.cluster.assign();
    nodes.web(two, "w2", "10.0.1.12", "web");
    nodes.publish();
    nodes.await("an answer", () -> TwoNodes.hostGets(one, "10.0.1.12").equals("w2"));
    assertThat(TwoNodes.within(two, "w2", "ip", "neigh")).as("the source is the node's own address in the network").contains("10.0.1.1 ");
  }

  /** A packet of the kernel's own asks not to be cut; larger ones are cut by the sender. */
  @Test
  void packetsAsLargeAsTheOverlayAllowsPassInOnePiece() throws Exception {
    web();
    String ping = "ping -c 1 -W 1 -s %d 10.0.1.12 >/dev/null && echo yes || echo no";
    long before = pieces(two, "w2");
    assertThat(one.exec("c1", ping.formatted(1450 - 28))).isEqualTo("yes");
    assertThat(pieces(two, "w2")).isEqualTo(before);
    assertThat(one.exec("c1", ping.formatted(1450 - 27))).isEqualTo("yes");
    assertThat(pieces(two, "w2")).isEqualTo(before + 2);
    assertThat(one.exec("c1", ping.formatted(20_000))).isEqualTo("yes");
    assertThat(first.inside("ip", "link", "show", "skx4097")).contains("mtu 1450");
  }

  /** Fragments that came to the task's container. */
  private static long pieces(Scene node, String task) throws Exception {
    return Long.parseLong(node.exec(task, "cat /proc/net/snmp").lines().filter(line -> line.startsWith("Ip: ") && !line.contains("Reasm")).findFirst()
        .orElseThrow().split(" ")[14]);
  }

  @Test
  void networksAreClosedToEachOtherAlsoAcrossHosts() throws Exception {
    nodes.network(one, 2);
    nodes.network(two, 2);
    web();
    nodes.web(one, "x1", "10.0.2.11", "other");
    nodes.web(two, "x2", "10.0.2.12", "other");
    nodes.publish();
    assertThat(TwoNodes.get(one, "x1", "10.0.2.12")).isEqualTo("x2");
    assertThat(TwoNodes.get(one, "x1", "10.0.1.12")).isEqualTo("none");
    assertThat(TwoNodes.get(one, "x1", "10.0.1.2")).isEqualTo("none");
    assertThat(TwoNodes.reaches(one, "x1", "10.0.1.252")).as("another network's gateway on another node").isFalse();
    first.outside("ip", "route", "replace", "10.0.1.12/32", "via", "192.168.77.1");
    assertThat(first.outside("sh", "-c", "busybox timeout 2 busybox wget -q -O - http://10.0.1.12/ 2>/dev/null || echo none")).contains("none");
  }

  @Test
  void onlyMembersSpeakVxlan() throws Exception {
    nodes.network(one, 2);
    nodes.network(two, 2);
    web();
    nodes.web(one, "x1", "10.0.2.11", "other");
    nodes.web(two, "x2", "10.0.2.12", "other");
    two.cluster.assign(Scene.task("bare", Scene.WEB, "").toBuilder().setNodeId("node2").build());
    two.running("bare");
    nodes.publish();
    String[] toOne = TwoNodes.forged(4097, "10.0.1.21", "192.168.77.1");
    long before = TwoNodes.strays(one, "c1");
    second.inside(toOne);
    nodes.await("a member's packet arrives", () -> TwoNodes.strays(one, "c1") == before + 1);
    first.outside(toOne);
    TwoNodes.within(two, "x2", toOne); // masqueraded, it would come from a member
    TwoNodes.within(two, "bare", toOne);
    TwoNodes.within(one, "x1", toOne); // to its own node, at every address that it has
    TwoNodes.within(one, "x1", TwoNodes.forged(4097, "10.0.1.21", "10.0.2.1"));
    claimsToBeAMember(two, "bare", "192.168.77.1", toOne);
    one.cluster.assign(Scene.task("bare1", Scene.WEB, "").toBuilder().setNodeId("node1").build());
    one.running("bare1");
    claimsToBeAMember(one, "bare1", "192.168.77.1", toOne);
    second.inside(toOne);
    nodes.await("the member's next packet arrives", () -> TwoNodes.strays(one, "c1") > before + 1);
    assertThat(TwoNodes.strays(one, "c1")).as("and nothing else").isEqualTo(before + 2);
  }

  /** A container without an overlay sends with node 2's address. */
  private static void claimsToBeAMember(Scene node, String task, String to, String... send) throws Exception {
    TwoNodes.within(node, task, "ip", "addr", "replace", "192.168.77.2/32", "dev", "lo");
    TwoNodes.within(node, task, "ip", "route", "replace", to + "/32", "via", "172.31.255.1", "src", "192.168.77.2");
    TwoNodes.within(node, task, send);
  }

  @Test
  void anEndpointThatMovesIsFoundAtItsNewHost() throws Exception {
    web();
    assertThat(TwoNodes.get(two, "c2", "10.0.1.11")).isEqualTo("w1");
    nodes.remove(one, "w1");
    nodes.publish();
    assertThat(neighbours(two)).doesNotContain("10.0.1.11 ");
    nodes.web(two, "w3", "10.0.1.11", "web");
    nodes.publish();
    assertThat(TwoNodes.get(one, "c1", "10.0.1.11")).isEqualTo("w3");
    assertThat(TwoNodes.get(two, "c2", "10.0.1.11")).isEqualTo("w3");
    assertThat(forwarding(two)).doesNotContain("02:42:0a:00:01:0b");
    one.restart();
    nodes.remove(two, "w3");
    nodes.web(one, "w4", "10.0.1.11", "web");
    nodes.publish();
    assertThat(TwoNodes.get(one, "c1", "10.0.1.11")).isEqualTo("w4");
    assertThat(TwoNodes.get(two, "c2", "10.0.1.11")).isEqualTo("w4");
    assertThat(TwoNodes.get(two, "w2", "10.0.1.11")).isEqualTo("w4");
  }

  @Test
  void aNodeAloneHasNoTunnelAndGetsOneWithTheFirstOther() throws Exception {
    nodes.network(one, 1);
    nodes.web(one, "w1", "10.0.1.11", "web");
    nodes.publish();
    assertThat(first.inside("ip", "link")).doesNotContain("skx");
    nodes.network(two, 1);
    nodes.web(two, "w2", "10.0.1.12", "web");
    nodes.publish();
    assertThat(TwoNodes.get(one, "w1", "10.0.1.12")).isEqualTo("w2");
    nodes.remove(two, "w2");
    two.cluster.networks.clear();
    two.cluster.assign();
    nodes.both().forEach(node -> node.feedPeer("node2", "192.168.77.2", Map.of()));
    nodes.publish();
    assertThat(first.inside("ip", "link")).doesNotContain("skx");
    nodes.await("nothing left on the other node", () -> !devices(second).contains("sk"));
  }

  @Test
  void aRestartInterruptsNothingAndTakesLeftoversAway() throws Exception {
    web();
    String device = first.inside("ip", "-o", "link", "show", "skx4097").split(":")[0];
    one.restart(() -> {
      first.inside("bridge", "fdb", "replace", "02:42:0a:00:01:63", "dev", "skx4097", "dst", "192.168.77.9", "self", "master", "static");
      first.inside("ip", "neigh", "replace", "10.0.1.99", "lladdr", "02:42:0a:00:01:63", "dev", "skb4097", "nud", "permanent");
      first.inside("ip", "link", "add", "skx5000", "type", "vxlan", "id", "5000", "dstport", "4789", "local", "192.168.77.1");
      first.inside("ip", "link", "add", "skx6000", "type", "vxlan", "id", "6001", "dstport", "4789", "local", "192.168.77.1");
      assertThat(TwoNodes.get(one, "c1", "10.0.1.12")).as("while no agent runs").isEqualTo("w2");
    });
    nodes.publish();
    assertThat(forwarding(one)).doesNotContain("02:42:0a:00:01:63").contains("02:42:0a:00:01:0c");
    assertThat(neighbours(one)).doesNotContain("10.0.1.99");
    assertThat(first.inside("ip", "link")).doesNotContain("skx5000").contains("skx6000");
    assertThat(first.inside("ip", "-o", "link", "show", "skx4097").split(":")[0]).as("the same device").isEqualTo(device);
    first.inside("ip", "link", "del", "skx6000");
    assertAlternates(ask(one, "c1"));
  }

  @Test
  void whatOthersTakeAwayComesBack() throws Exception {
    web();
    for (List<String> harm : List.of(
        List.of("ip", "link", "del", "skx4097"),
        List.of("ip", "link", "set", "skx4097", "nomaster"),
        List.of("ip", "link", "set", "skx4097", "down"),
        List.of("sh", "-c", "bridge fdb show dev skx4097 | grep dst | while read mac rest; do bridge fdb del $mac dev skx4097 self; done"),
        List.of("sh", "-c", "bridge fdb del 02:42:0a:00:01:0c dev skx4097 master"),
        List.of("ip", "neigh", "flush", "nud", "permanent", "dev", "skb4097"),
        List.of("nft", "delete", "table", "ip", "skep"),
        List.of("ip", "link", "del", "skb4097"))) {
      first.inside(harm.toArray(String[]::new));
      nodes.await("an answer after " + harm, () -> TwoNodes.get(one, "c1", "10.0.1.12").equals("w2") && neighbours(one).contains("10.0.1.12 "));
    }
    nodes.await("all as before", () -> forwarding(one).contains("02:42:0a:00:01:0c dst 192.168.77.2 self sticky static") && forwarding(one).contains("02:42:0a:00:01:fc"));
    assertAlternates(ask(one, "c1"));
  }

  @Test
  void aFirewallThatDropsInputLetsMembersTunnelsIn() throws Exception {
    web();
    try {
      first.inside("iptables", "-P", "INPUT", "DROP");
      assertThat(TwoNodes.get(two, "c2", "10.0.1.11")).as("iptables").isEqualTo("w1");
      first.inside("iptables", "-P", "INPUT", "ACCEPT");
      first.inside("nft", "add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }");
      nodes.await("a native chain", () -> TwoNodes.get(two, "c2", "10.0.1.11").equals("w1"));
    } finally {
      first.inside("iptables", "-P", "INPUT", "ACCEPT");
      first.insideQuiet("nft", "delete", "table", "inet", "filter");
    }
  }

  @Test
  void aNetworkOverAnotherNodesAddressIsRefusedHereAndLivesThere() throws Exception {
    nodes.network(one, 1);
    NetworkAssignment wide =
        NetworkAssignment.newBuilder().setId("net77").setName("wide").setSubnet("192.168.77.0/28").setGateway("192.168.77.9").setVni(4177).build();
    one.cluster.networks.put("net77", wide);
    one.cluster.assign(Scene.task("o1", Scene.WEB, "attachments { network_id: \"net77\" address: \"192.168.77.12/28\" }"));
    one.cluster.awaitState("o1", TaskState.TASK_REJECTED);
    assertThat(one.cluster.statuses.get("o1").getErr()).startsWith("network wide: subnet 192.168.77.0/28 overlaps the route 192.168.77.0/24 of node ");
    nodes.web(one, "w1", "10.0.1.11", "web");
    assertThat(TwoNodes.hostGets(one, "10.0.1.11")).as("the others stand").isEqualTo("w1");
  }

  @Test
  void leavingTakesTheTunnelsAlong() throws Exception {
    web();
    one.host.membership().leave();
    nodes.await("everything gone", () -> !devices(first).contains("sk") && !first.inside("iptables", "-S").contains("SKEP"));
    assertThat(first.inside("nft", "list", "tables")).doesNotContain("skep");
  }
}
