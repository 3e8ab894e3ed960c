package dev.skep.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.feed.v1.EdgeConfig;
import dev.skep.feed.v1.EdgePort;
import dev.skep.feed.v1.EdgeReport;
import dev.skep.runtime.feed.FeedClient;
import dev.skep.state.FeedState;
import dev.skep.state.v1.TaskState;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Overlays, VIPs and rules of one node, with a real engine, kernel and containers. */
@Tag("engine")
@Tag("slow")
class NetworksOnEngineTest {
  private static PrivateEngine engine;
  private Scene scene;
  private FakeDispatcher cluster;

  @BeforeAll
  static void startEngine() throws Exception {
    engine = PrivateEngine.start();
  }

  @AfterAll
  static void stopEngine() throws Exception {
    engine.close();
  }

  @BeforeEach
  void begin() throws Exception {
    scene = new Scene(engine).begin();
    cluster = scene.cluster;
  }

  @AfterEach
  void end() throws Exception {
    scene.close();
  }

  /** Two web tasks behind 10.0.1.2 and a third container as their client, on one overlay. */
  private void web() throws Exception {
    cluster.networks.put("net1", Scene.network(1));
    scene.feedNetwork(1);
    cluster.assign(Scene.web("w1", "10.0.1.11"));
    cluster.assign(Scene.web("w2", "10.0.1.12"));
    cluster.assign(Scene.web("c1", "10.0.1.20"));
    scene.running("w1", "w2", "c1");
    scene.feedService("web", "net1", "10.0.1.2");
    scene.feedEndpoint("web", "w1", "net1", "10.0.1.11", true);
    scene.feedEndpoint("web", "w2", "net1", "10.0.1.12", true);
    scene.publish();
  }

  private List<String> ask(String from, int times) throws Exception {
    String one = "timeout 3 wget -q -O - http://10.0.1.2/ || echo none";
    return scene.exec(from, String.join("; ", java.util.Collections.nCopies(times, one))).lines().toList();
  }

  private static void assertAlternates(List<String> answers, String... names) {
    assertThat(answers).containsOnly(names);
    for (int i = names.length; i < answers.size(); i++) {
      assertThat(answers.get(i)).as("answers %s", answers).isEqualTo(answers.get(i - names.length));
    }
    assertThat(new HashSet<>(answers.subList(0, names.length))).isEqualTo(new HashSet<>(Arrays.asList(names)));
  }

  @Test
  void aVipAlternatesExactlyForEverybody() throws Exception {
    web();
    for (String bridged : List.of("0", "1")) {
      engine.inside("sysctl", "-q", "-w", "net.bridge.bridge-nf-call-iptables=" + bridged);
      assertAlternates(ask("c1", 8), "w1", "w2");
      assertAlternates(ask("w1", 8), "w1", "w2");
    }
    String host = engine.inside("sh", "-c", "for i in 1 2 3 4; do busybox timeout 3 busybox wget -q -O - http://10.0.1.2/; done");
    assertAlternates(host.lines().toList(), "w1", "w2");
  }

  @Test
  void aVipFollowsItsEndpoints() throws Exception {
    web();
    ask("c1", 1);
    cluster.assign(Scene.web("w3", "10.0.1.13"));
    scene.running("w3");
    scene.feedEndpoint("web", "w1", "net1", "10.0.1.11", false);
    scene.feedEndpoint("web", "w3", "net1", "10.0.1.13", true);
    scene.publish();
    assertAlternates(ask("c1", 6), "w2", "w3");
    scene.feedEndpoint("web", "w1", "net1", "10.0.1.11", true);
    scene.publish();
    assertAlternates(ask("c1", 9), "w1", "w2", "w3");
    cluster.feed.keySet().removeIf(key -> key.startsWith("endpoint/"));
    scene.publish();
    assertThat(ask("c1", 1)).as("refused, and not answered by the host").containsExactly("none");
    cluster.feed.clear();
    scene.publish();
    assertThat(engine.inside("ip", "route", "show", "table", "local")).doesNotContain("10.0.1.2 ");
  }

  @Test
  void overlaysAreClosedToEachOtherAndToTheOutside() throws Exception {
    cluster.networks.put("net2", Scene.network(2));
    scene.feedNetwork(2);
    web();
    cluster.assign(Scene.web("x1", "10.0.2.11"));
    scene.running("x1");
    String wget = "timeout 2 wget -q -O - http://%s/ || echo none";
    assertThat(scene.exec("x1", wget.formatted("10.0.1.11"))).isEqualTo("none");
    assertThat(scene.exec("x1", wget.formatted("10.0.1.2"))).isEqualTo("none");
    assertThat(scene.exec("x1", "timeout 2 ping -c 1 -W 1 10.0.1.1 >/dev/null && echo up || echo none")).isEqualTo("none");
    assertThat(scene.exec("x1", "timeout 2 ping -c 1 -W 1 10.0.2.1 >/dev/null && echo up || echo none")).isEqualTo("up");
    engine.outside("ip", "route", "replace", "10.0.1.0/24", "via", "192.168.77.1");
    assertThat(engine.outside("sh", "-c", "busybox timeout 2 busybox wget -q -O - http://10.0.1.11/ 2>/dev/null || echo none")).contains("none");
    assertThat(engine.outside("sh", "-c", "busybox timeout 2 busybox wget -q -O - http://10.0.1.2/ 2>/dev/null || echo none")).contains("none");
    assertThat(scene.exec("c1", "timeout 2 ping -c 1 -W 1 192.168.77.254 >/dev/null && echo up || echo none")).as("outwards").isEqualTo("up");
  }

  @Test
  void containersHaveTheAddressAndMacThatEverybodyExpects() throws Exception {
    cluster.networks.put("net1", Scene.network(1));
    cluster.networks.put("net2", Scene.network(2));
    cluster.assign(Scene.web("m1", "10.0.1.9", "10.0.2.9"));
    scene.running("m1");
    String links = scene.exec("m1", "ip addr");
    assertThat(links).contains("02:42:0a:00:01:09", "10.0.1.9/24", "02:42:0a:00:02:09", "10.0.2.9/24");
    assertThat(engine.cli("inspect", "-f", "{{.HostConfig.Dns}}", "web.1.m1")).isEqualTo("[10.0.1.1]");
    assertThat(engine.inside("ip", "link", "show", "skb4097")).contains("02:42:0a:00:01:01", "mtu 1450");
    var attach = engine.docker("run", "--rm", "--network", "skep-net1", "busybox:test", "true");
    Process refused = new ProcessBuilder(attach).redirectErrorStream(true).start();
    assertThat(new String(refused.getInputStream().readAllBytes())).contains("no available IPv4 addresses");
  }

  @Test
  void anOverlayThatWouldTakeTheHostOffItsNetworkIsRefusedByName() throws Exception {
    cluster.networks.put(
        "net77", NetworkAssignment.newBuilder().setId("net77").setName("wide").setSubnet("192.168.0.0/16").setGateway("192.168.0.1").setVni(4177).build());
    cluster.assign(
        Scene.task("o1", Scene.WEB, "attachments { network_id: \"net77\" address: \"192.168.0.9/16\" }"));
    cluster.awaitState("o1", TaskState.TASK_REJECTED);
    String reason = "subnet 192.168.0.0/16 overlaps the route 192.168.77.0/24 of node ";
    assertThat(cluster.statuses.get("o1").getErr()).startsWith("network wide: " + reason);
    cluster.await("the node reports it", () -> cluster.report.getNetworkProblemsList().stream().anyMatch(p -> p.getReason().startsWith(reason)));
    assertThat(engine.cli("network", "ls", "-q", "--filter", "name=skep-net77")).isEmpty();
  }

  @Test
  void freedSubnetsCanBeUsedAtOnce() throws Exception {
    cluster.networks.put("net1", Scene.network(1));
    cluster.assign(Scene.web("f1", "10.0.1.11"));
    scene.running("f1");
    cluster.tasks.clear();
    cluster.networks.clear();
    cluster.networks.put("other", Scene.network(1).toBuilder().setId("other").build());
    cluster.assign(Scene.web("f2", "10.0.1.11").toBuilder().clearAttachments().addAttachments(
        Scene.web("f2", "10.0.1.11").getAttachments(0).toBuilder().setNetworkId("other")).build());
    scene.running("f2");
    cluster.await("the old bridge is reported gone", () -> cluster.report.getNetworkIdsList().equals(List.of("other")));
  }

  /** The part of the edge that matters here: it says where the resolver listens, and what it has applied. */
  private FeedClient resolverAt(int port) throws Exception {
    java.nio.file.Path folder = scene.host.runFolder();
    FeedClient[] self = new FeedClient[1];
    FeedClient client =
        new FeedClient(
            folder.resolve("feed.sock"),
            folder.resolve("edge-feed"),
            "dns-discovery",
            new FeedClient.Listener() {
              @Override
              public void feed(FeedState state, Set<String> changed) {
                self[0].report(report(port).setEpoch(state.epoch()).setAppliedRevision(state.revision()).build());
              }

              @Override
              public void config(EdgeConfig config) {
                assertThat(config.getNodeId()).isEqualTo("node1");
              }
            });
    self[0] = client;
    client.start();
    client.report(report(port).build());
    return client;
  }

  private static EdgeReport.Builder report(int port) {
    return EdgeReport.newBuilder()
        .setComponent("dns-discovery")
        .setDnsPort(port)
        .addPorts(EdgePort.newBuilder().setProtocol("tcp").setPort(8080).setProblem("address already in use"));
  }

  @Test
  void namesAreAskedOnPort53AlsoBehindFirewallsThatDropInput() throws Exception {
    web();
    Process echo = new ProcessBuilder(line(engine.prefix(), "busybox", "nc", "-ll", "-p", "5399", "-e", "/bin/busybox", "echo", "resolver")).start();
    try (FeedClient edge = resolverAt(5399)) {
      assertThat(edge).isNotNull();
      cluster.await("the edge's port problem", () -> cluster.report.getPortProblemsList().stream().anyMatch(p -> p.getPort() == 8080));
      assertThat(cluster.report.getPortProblems(0).getReason())
          .isEqualTo("port 8080/tcp on node " + cluster.report.getDescription().getHostname() + ": address already in use");
      scene.publish();
      awaitAnswer("plain");
      engine.inside("iptables", "-P", "INPUT", "DROP");
      awaitAnswer("iptables drops");
      engine.inside("iptables", "-P", "INPUT", "ACCEPT");
      engine.inside("nft", "add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }");
      awaitAnswer("a native chain drops");
      assertThat(engine.inside("nft", "-n", "list", "ruleset")).contains("ip daddr 10.0.1.1 meta l4proto { 6, 17 } th dport 53 redirect to :5399");
      assertThat(scene.exec("c1", "timeout 1 nc 10.0.1.1 5398 || echo none")).as("nothing else of the host").isEqualTo("none");
    } finally {
      echo.destroy();
      engine.inside("iptables", "-P", "INPUT", "ACCEPT");
      engine.insideQuiet("nft", "delete", "table", "inet", "filter");
    }
  }

  private static List<String> line(List<String> prefix, String... words) {
    List<String> line = new java.util.ArrayList<>(prefix);
    line.addAll(List.of(words));
    return line;
  }

  private void awaitAnswer(String as) throws Exception {
    cluster.awaitAsking(
        "an answer on port 53: " + as, () -> scene.exec("c1", "timeout 1 nc 10.0.1.1 53 </dev/null || true").equals("resolver"));
  }

  @Test
  void rulesComeBackAfterSomebodyFlushedThem() throws Exception {
    web();
    engine.inside("nft", "delete", "table", "ip", "skep");
    cluster.awaitAsking("the table is back", () -> engine.insideQuiet("nft", "list", "map", "ip", "skep", "b_10_0_1_2"));
    assertAlternates(ask("c1", 4), "w1", "w2");
  }

  @Test
  void leavingTheClusterLeavesNothing() throws Exception {
    web();
    String rules = engine.inside("iptables", "-S", "INPUT");
    assertThat(rules).contains("SKEP-INPUT");
    scene.host.membership().leave();
    cluster.awaitAsking(
        "containers gone",
        () -> engine.cli("ps", "-aq").isEmpty() && engine.cli("network", "ls", "-q", "--filter", "label=skep.cluster").isEmpty()
            && !engine.inside("iptables", "-S").contains("SKEP"));
    assertThat(engine.inside("nft", "list", "tables")).doesNotContain("skep");
    assertThat(engine.inside("ip", "link")).doesNotContain("skb");
    assertThat(engine.inside("ip", "route", "show", "table", "local")).doesNotContain("10.0.1.");
  }

  private void answersAgain(String what) throws Exception {
    cluster.awaitAsking(what, () -> new HashSet<>(ask("c1", 4)).equals(Set.of("w1", "w2")));
  }

  @Test
  void whatOthersTakeAwayComesBackUnderRunningContainers() throws Exception {
    web();
    answersAgain("at first");
    String containers = engine.cli("ps", "-q");
    engine.inside("nft", "delete", "table", "ip", "skep");
    answersAgain("rule table");
    engine.inside("nft", "flush", "chain", "ip", "skep", "v_10_0_1_2");
    answersAgain("one chain's rules");
    engine.inside("nft", "flush", "table", "ip", "skep");
    answersAgain("all rules");
    engine.inside("ip", "route", "del", "local", "10.0.1.2/32", "dev", "skb4097");
    answersAgain("route");
    engine.inside("ip", "link", "set", "skb4097", "down");
    answersAgain("shut bridge");
    engine.inside("ip", "link", "del", "skb4097");
    answersAgain("bridge");
    assertThat(ask("w1", 4)).as("a backend reaches itself").containsOnly("w1", "w2");
    assertThat(engine.cli("ps", "-q")).isEqualTo(containers);
    cluster.assign(Scene.web("w3", "10.0.1.13"));
    scene.running("w3");
    assertThat(scene.exec("c1", "timeout 3 wget -q -O - http://10.0.1.13/")).as("the engine uses the new bridge").isEqualTo("w3");
  }

  @Test
  void aPlanThatFailsOnAMissingBridgeBringsItBack() throws Exception {
    web();
    answersAgain("at first");
    engine.inside("ip", "link", "del", "skb4097");
    scene.feedService("more", "net1", "10.0.1.9");
    scene.feedEndpoint("more", "m1", "net1", "10.0.1.11", true);
    scene.publish(); // needs the bridge before anybody has looked for it
    answersAgain("bridge");
  }

  @Test
  void aNetworkThatSomebodyRemovedIsMadeAgain() throws Exception {
    cluster.networks.put("net1", Scene.network(1));
    scene.feedNetwork(1);
    cluster.assign(Scene.web("w1", "10.0.1.11"));
    scene.running("w1");
    scene.publish();
    cluster.networks.put("net2", Scene.network(2));
    scene.feedNetwork(2);
    cluster.assign(Scene.web("x1", "10.0.2.11"));
    scene.running("x1");
    engine.cli("rm", "-f", "web.1.x1");
    engine.cli("network", "rm", "skep-net2");
    cluster.awaitAsking("the network", () -> engine.cli("network", "ls", "--format", "{{.Name}}").contains("skep-net2"));
    cluster.assign(Scene.web("x2", "10.0.2.12"));
    scene.running("x2");
  }

  @Test
  void addressesThatAnEarlierLifeLeftAreTakenAway() throws Exception {
    web();
    scene.restart(() -> engine.inside("ip", "route", "add", "local", "10.0.1.77/32", "dev", "skb4097"));
    cluster.awaitAsking("the address gone", () -> !engine.inside("ip", "route", "show", "table", "local").contains("10.0.1.77"));
    assertThat(engine.inside("ip", "route", "show", "table", "local")).contains("10.0.1.2 ", "10.0.1.1 ");
  }
}
