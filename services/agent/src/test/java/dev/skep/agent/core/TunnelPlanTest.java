package dev.skep.agent.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.agent.core.NetworkWant.Overlay;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.feed.v1.PeerEntry;
import dev.skep.state.FeedState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class TunnelPlanTest {
  private static final Ownership OWNERSHIP = new Ownership("", "cluster", "node1");
  private static final String LOCAL = "192.0.2.1";
  private static final NetworkAssignment NET1 = assignment("n1").build();

  private final Map<String, FeedEntry> feed = new TreeMap<>();

  private static NetworkAssignment.Builder assignment(String id) {
    return NetworkAssignment.newBuilder().setId(id).setDataPathPort(4799);
  }

  private void peer(String node, String address, String... gateways) {
    PeerEntry.Builder peer = PeerEntry.newBuilder().setNodeId(node).setDataPathAddr(address);
    for (int i = 0; i < gateways.length; i += 2) {
      peer.putGateways(gateways[i], gateways[i + 1]);
    }
    feed.put("peer/" + node, FeedEntry.newBuilder().setKey("peer/" + node).setPeer(peer).build());
  }

  private void endpoint(String task, String node, String network, String address, boolean serving) {
    EndpointEntry.Builder endpoint = EndpointEntry.newBuilder().setTaskId(task).setServiceId("s").setNodeId(node).setServing(serving);
    endpoint.addAddresses(EndpointAddress.newBuilder().setNetworkId(network).setAddress(address).setMac(MacAddress.of(address)));
    feed.put("endpoint/" + task, FeedEntry.newBuilder().setKey("endpoint/" + task).setEndpoint(endpoint).build());
  }

  private Remotes remotes(NetworkAssignment... networks) {
    var update = FeedUpdate.newBuilder().setEpoch("e").setRevision(1).setComplete(true).addAllPut(feed.values()).build();
    return Remotes.of(((FeedState.Outcome.Moved) FeedState.empty().apply(update)).state(), List.of(networks), "node1", LOCAL);
  }

  private NetworkWant want(List<Overlay> overlays, NetworkAssignment... networks) {
    Map<String, Overlay> byId = new TreeMap<>();
    overlays.forEach(overlay -> byId.put(overlay.id(), overlay));
    return new NetworkWant(byId, Map.of(), new TreeSet<>(), Set.of(), 0, new TreeSet<>(), remotes(networks));
  }

  private static NetworkPlan plan(NetworkWant want, NetworkHave have) {
    return NetworkPlan.diff(want, have, OWNERSHIP, List.of(), "host1", 0);
  }

  private static List<String> text(NetworkPlan plan) {
    return plan.steps().stream().map(Object::toString).toList();
  }

  @Test
  void aNodeWithoutOthersHasNoTunnelAndNoRuleForThem() {
    peer("node1", LOCAL, "n1", "10.0.1.1");
    endpoint("t1", "node1", "n1", "10.0.1.7", true);
    peer("node2", "192.0.2.2"); // there, but in no network that we have
    NetworkPlan plan = plan(want(List.of(NetworkPlanTest.NET1), NET1), NetworkHave.nothing(Map.of()));
    assertThat(plan.then().reach()).isEqualTo(Reach.NONE);
    assertThat(text(plan)).noneMatch(step -> step.contains("Tunnel") || step.startsWith("Bridge["));
    feed.remove("peer/node2");
    assertThat(text(plan(want(List.of(NetworkPlanTest.NET1), NET1), NetworkHave.nothing(Map.of())))).noneMatch(step -> step.contains("notrack"));
  }

  @Test
  void theFirstGatewayElsewhereBringsTheTunnel() {
    peer("node1", LOCAL, "n1", "10.0.1.1");
    NetworkHave alone = plan(want(List.of(NetworkPlanTest.NET1), NET1), NetworkHave.nothing(Map.of())).then();
    peer("node2", "192.0.2.2", "n1", "10.0.1.4", "other", "10.0.9.4");
    endpoint("t2", "node2", "n1", "10.0.1.8", false);
    NetworkPlan plan = plan(want(List.of(NetworkPlanTest.NET1), NET1), alone);
    assertThat(plan.steps()).hasSize(4);
    assertThat(((NetworkStep.Rules) plan.steps().getFirst()).script().lines()).containsExactly(
        "add element ip skep members { 192.0.2.2 }",
        "flush chain ip skep tunnel_in",
        "flush chain ip skep tunnel_out",
        "add rule ip skep tunnel_in udp dport 4799 fib daddr type local ip saddr @members fib saddr . iif oif exists notrack accept",
        "add rule ip skep tunnel_in udp dport 4799 fib daddr type { local, broadcast, multicast } counter drop comment \"VXLAN from no member\"",
        "add rule ip skep tunnel_in udp dport 4799 ip daddr @members ip saddr != @members counter drop comment \"forged VXLAN\"",
        "add rule ip skep tunnel_out udp dport 4799 ip daddr @members notrack");
    SortedMap<String, String> forwarding = new TreeMap<>(Map.of("02:42:0a:00:01:04", "192.0.2.2", "02:42:0a:00:01:08", "192.0.2.2"));
    assertThat(plan.steps().get(1)).isEqualTo(new NetworkStep.CreateTunnel(new Tunnel("skx4097", "skb4097", 4097, LOCAL, 4799, 1450, forwarding)));
    assertThat(plan.steps().get(2)).isEqualTo(new NetworkStep.Ip(List.of(
        "link set dev skx4097 mtu 1450 addrgenmode none master skb4097 up",
        "neigh replace 10.0.1.4 lladdr 02:42:0a:00:01:04 dev skb4097 nud permanent",
        "neigh replace 10.0.1.8 lladdr 02:42:0a:00:01:08 dev skb4097 nud permanent")));
    assertThat(plan.steps().get(3)).isEqualTo(new NetworkStep.Bridge(List.of(
        "link set dev skx4097 neigh_suppress on learning off hairpin off",
        "fdb replace 02:42:0a:00:01:04 dev skx4097 dst 192.0.2.2 self master static sticky",
        "fdb replace 02:42:0a:00:01:08 dev skx4097 dst 192.0.2.2 self master static sticky")));
    endpoint("t2", "node2", "n1", "10.0.1.8", true);
    assertThat(plan(want(List.of(NetworkPlanTest.NET1), NET1), plan.then()).steps()).as("known before it serves").isEmpty();
  }

  @Test
  void anEndpointThatMovesIsRewrittenAndOneThatCameHereIsForgotten() {
    peer("node2", "192.0.2.2", "n1", "10.0.1.4");
    peer("node3", "192.0.2.3", "n1", "10.0.1.5");
    endpoint("t", "node2", "n1", "10.0.1.8", true);
    NetworkHave have = plan(want(List.of(NetworkPlanTest.NET1), NET1), NetworkHave.nothing(Map.of())).then();
    endpoint("t", "node3", "n1", "10.0.1.8", true);
    NetworkPlan moved = plan(want(List.of(NetworkPlanTest.NET1), NET1), have);
    assertThat(moved.steps()).containsExactly(
        new NetworkStep.Bridge(List.of("fdb replace 02:42:0a:00:01:08 dev skx4097 dst 192.0.2.3 self master static sticky")));
    endpoint("t", "node1", "n1", "10.0.1.8", true);
    NetworkPlan here = plan(want(List.of(NetworkPlanTest.NET1), NET1), moved.then());
    assertThat(here.steps()).containsExactly(
        new NetworkStep.Ip(List.of(
            "neigh replace 10.0.1.8 lladdr 02:42:0a:00:01:08 dev skb4097 nud permanent", "neigh del 10.0.1.8 dev skb4097")),
        new NetworkStep.Bridge(List.of(
            "fdb replace 02:42:0a:00:01:08 dev skx4097 dst 192.0.2.3 self master static sticky",
            "fdb del 02:42:0a:00:01:08 dev skx4097 self master")));
  }

  @Test
  void ofTwoThatClaimAnAddressTheServingOneHasIt() {
    peer("node2", "192.0.2.2", "n1", "10.0.1.4");
    endpoint("a", "node1", "n1", "10.0.1.8", false);
    endpoint("b", "node2", "n1", "10.0.1.8", true);
    assertThat(remotes(NET1).byNetwork().get("n1")).containsKey("10.0.1.8");
    endpoint("a", "node1", "n1", "10.0.1.8", true);
    assertThat(remotes(NET1).byNetwork().get("n1")).doesNotContainKey("10.0.1.8");
    endpoint("b", "node2", "n1", "10.0.1.8", false);
    assertThat(remotes(NET1).byNetwork().get("n1")).doesNotContainKey("10.0.1.8");
  }

  @Test
  void whatCannotBeReachedOrMustNotGoOutInClearHasNoTunnel() {
    peer("node2", "192.0.2.2", "n1", "10.0.1.4");
    assertThat(remotes(assignment("n1").setEncrypted(true).build()).byNetwork()).isEmpty();
    peer("node2", "host2.example", "n1", "10.0.1.4");
    endpoint("t", "node2", "n1", "10.0.1.8", true);
    endpoint("u", "unknown", "n1", "10.0.1.9", true);
    assertThat(remotes(NET1)).isEqualTo(new Remotes(LOCAL, 4799, new TreeSet<>(), Map.of()));
    peer("node2", LOCAL, "n1", "10.0.1.4");
    assertThat(remotes(NET1).members()).as("another node behind our own address").isEmpty();
  }

  @Test
  void aSubnetThatHoldsAnotherNodesAddressIsRefused() {
    peer("node2", "10.0.1.99", "n1", "10.0.1.4");
    NetworkPlan plan = plan(want(List.of(NetworkPlanTest.NET1), NET1), NetworkHave.nothing(Map.of()));
    assertThat(plan.problems()).containsEntry("n1", "subnet 10.0.1.0/24 holds 10.0.1.99, the address of a node of this cluster");
    assertThat(plan.steps()).noneMatch(NetworkStep.CreateTunnel.class::isInstance);
  }

  @Test
  void leftoversOfAnEarlierLifeGo() {
    peer("node2", "192.0.2.2", "n1", "10.0.1.4");
    SortedMap<String, String> stale = new TreeMap<>(Map.of("02:42:0a:00:01:04", "", "02:42:0a:00:01:63", "192.0.2.9"));
    SortedMap<String, Tunnel> tunnels = new TreeMap<>();
    tunnels.put("skx4097", new Tunnel("skx4097", "skb4097", 4097, LOCAL, 4799, 1450, stale));
    tunnels.put("skx4999", new Tunnel("skx4999", "", 4999, LOCAL, 4799, 1450, new TreeMap<>()));
    SortedMap<String, SortedMap<String, String>> neighbours = new TreeMap<>(Map.of("skb4097", new TreeMap<>(Map.of("10.0.1.99", "02:42:0a:00:01:63"))));
    NetworkHave have = NetworkHave.nothing(Map.of("n1", NetworkPlanTest.NET1)).withReach(new Reach(tunnels, neighbours));
    NetworkPlan plan = plan(want(List.of(NetworkPlanTest.NET1), NET1), have);
    assertThat(plan.steps()).contains(new NetworkStep.RemoveTunnel("skx4999"));
    Kernel kernel = new Kernel(have);
    kernel.run(plan);
    assertThat(kernel.reach()).isEqualTo(plan.then().reach());
    assertThat(plan.steps()).as("traffic goes on through a device that stands").noneMatch(step -> step.equals(new NetworkStep.RemoveTunnel("skx4097")));
    have = have.withReach(new Reach(new TreeMap<>(Map.of("skx4097", new Tunnel("skx4097", "skb4097", 4097, "192.0.2.77", 4799, 1450, stale))), neighbours));
    assertThat(plan(want(List.of(NetworkPlanTest.NET1), NET1), have).steps()).as("another address of ours").contains(new NetworkStep.RemoveTunnel("skx4097"));
  }

  /** Wherever one starts and whatever is lost on the way, plan after plan ends in what is wanted. */
  @Test
  void everyHistoryEndsInTheWantedState() {
    for (long seed = 0; seed < 300; seed++) {
      Random random = new Random(seed);
      NetworkHave have = NetworkHave.nothing(Map.of());
      Kernel kernel = new Kernel(have);
      for (int round = 0; round < 15; round++) {
        feed.clear();
        shuffle(random);
        List<Overlay> overlays = new ArrayList<>();
        List<NetworkAssignment> assigned = new ArrayList<>();
        for (Overlay overlay : List.of(NetworkPlanTest.NET1, NetworkPlanTest.NET2)) {
          if (random.nextInt(4) > 0) {
            overlays.add(overlay);
            assigned.add(assignment(overlay.id()).setDataPathPort(random.nextInt(9) == 0 ? 4800 : 4799).build());
          }
        }
        if (random.nextInt(3) == 0) {
          kernel.lose(random);
          have = have.withReach(kernel.reach());
        }
        if (random.nextInt(4) == 0) {
          have = NetworkHave.nothing(have.overlays()).withReach(kernel.reach()); // the agent is started again
        }
        NetworkPlan plan = plan(want(overlays, assigned.toArray(NetworkAssignment[]::new)), have);
        kernel.run(plan);
        have = plan.then();
        assertThat(kernel.reach()).as("seed %d round %d", seed, round).isEqualTo(have.reach());
        assertThat(plan(want(overlays, assigned.toArray(NetworkAssignment[]::new)), have).steps()).as("seed %d round %d", seed, round).isEmpty();
      }
    }
  }

  private void shuffle(Random random) {
    for (int node = 2; node < 5; node++) {
      if (random.nextBoolean()) {
        peer("node" + node, "192.0.2." + (random.nextInt(5) == 0 ? 9 : node), "n1", "10.0.1." + node, "n2", "10.0.2." + node);
      }
    }
    for (int task = 0; task < 8; task++) {
      if (random.nextBoolean()) {
        int net = 1 + task % 2;
        endpoint("t" + task, "node" + (1 + random.nextInt(4)), "n" + net, "10.0." + net + "." + (10 + random.nextInt(6)), random.nextBoolean());
      }
    }
  }

  /** Does to maps what the steps do to the kernel, and fails where the kernel would. */
  private static final class Kernel {
    private final Map<String, Tunnel> devices = new HashMap<>();
    private final Map<String, TreeMap<String, String>> self = new HashMap<>();
    private final Map<String, TreeSet<String>> bridged = new HashMap<>();
    private final Map<String, TreeMap<String, String>> neighbours = new HashMap<>();
    private final Map<String, String> addresses = new HashMap<>();

    Kernel(NetworkHave have) {
      have.overlays().values().forEach(overlay -> addresses.put(overlay.bridge(), MacAddress.of(overlay.gateway())));
      have.overlays().values().forEach(overlay -> neighbours.put(overlay.bridge(), new TreeMap<>(have.reach().neighboursOn(overlay.bridge()))));
      have.reach().tunnels().forEach((device, tunnel) -> {
        devices.put(device, tunnel);
        self.put(device, new TreeMap<>(tunnel.forwarding()));
        bridged.put(device, new TreeSet<>(tunnel.forwarding().keySet()));
        tunnel.forwarding().forEach((mac, node) -> bridged.get(device).removeIf(known -> known.equals(mac) && node.isEmpty()));
      });
    }

    void run(NetworkPlan plan) {
      for (NetworkStep step : plan.steps()) {
        switch (step) {
          case NetworkStep.CreateNetwork(Overlay overlay) -> {
            neighbours.put(overlay.bridge(), new TreeMap<>());
            addresses.put(overlay.bridge(), "given by the engine");
          }
          case NetworkStep.BridgeAddress(String bridge, String mac) -> {
            if (!mac.equals(addresses.get(bridge))) {
              address(bridge, mac);
            }
          }
          case NetworkStep.RemoveNetwork(Overlay overlay) -> {
            neighbours.remove(overlay.bridge());
            devices.values().stream().filter(tunnel -> tunnel.bridge().equals(overlay.bridge())).toList().forEach(tunnel -> plug(tunnel.device(), "", tunnel.mtu()));
          }
          case NetworkStep.CreateTunnel(Tunnel tunnel) -> {
            assertThat(devices).doesNotContainKey(tunnel.device());
            devices.put(tunnel.device(), new Tunnel(tunnel.device(), "", tunnel.vni(), tunnel.local(), tunnel.port(), 1500, new TreeMap<>()));
            self.put(tunnel.device(), new TreeMap<>());
            bridged.put(tunnel.device(), new TreeSet<>());
          }
          case NetworkStep.RemoveTunnel(String device) -> drop(device);
          case NetworkStep.Ip ip -> ip.lines().forEach(line -> ip(line.split(" ")));
          case NetworkStep.Bridge bridge -> bridge.lines().forEach(line -> bridge(line.split(" ")));
          case NetworkStep.Rules rules -> assertThat(rules.script()).isNotBlank();
          case NetworkStep.Sysctl sysctl -> assertThat(sysctl.key()).contains("skb");
          case NetworkStep.ForgetUdp forget -> assertThat(forget.backend()).isNotBlank();
        }
      }
    }

    private void drop(String device) {
      devices.remove(device);
      self.remove(device);
      bridged.remove(device);
    }

    private void plug(String device, String bridge, int mtu) {
      Tunnel t = devices.get(device);
      if (!t.bridge().equals(bridge)) {
        bridged.get(device).clear();
      }
      devices.put(device, new Tunnel(device, bridge, t.vni(), t.local(), t.port(), mtu, t.forwarding()));
    }

    /** Also when it is the same as before. */
    private void address(String bridge, String mac) {
      addresses.put(bridge, mac);
      neighbours.get(bridge).clear();
    }

    private void ip(String[] words) {
      if (words[0].equals("link") && words[4].equals("address")) {
        address(words[3], words[5]);
      } else if (words[0].equals("link") && words[3].startsWith("skx")) {
        assertThat(neighbours).containsKey(words[9]);
        plug(words[3], words[9], Integer.parseInt(words[5]));
      } else if (words[0].equals("neigh") && words[1].equals("replace")) {
        assertThat(neighbours).containsKey(words[6]);
        neighbours.get(words[6]).put(words[2], words[4]);
      } else if (words[0].equals("neigh")) {
        assertThat(neighbours.get(words[4]).remove(words[2])).as(String.join(" ", words)).isNotNull();
      }
    }

    private void bridge(String[] words) {
      if (words[0].equals("fdb") && words[1].equals("replace")) {
        assertThat(devices.get(words[4]).bridge()).as(String.join(" ", words)).isNotEmpty();
        self.get(words[4]).put(words[2], words[6]);
        bridged.get(words[4]).add(words[2]);
      } else if (words[0].equals("fdb")) {
        assertThat(self.get(words[4]).remove(words[2])).as(String.join(" ", words)).isNotNull();
        assertThat(bridged.get(words[4]).remove(words[2])).as(String.join(" ", words)).isTrue();
      }
    }

    /** Somebody takes things away, or the bridge is made anew. */
    void lose(Random random) {
      List<String> names = new ArrayList<>(new TreeSet<>(devices.keySet()));
      for (String device : names) {
        switch (random.nextInt(5)) {
          case 0 -> drop(device);
          case 1 -> plug(device, "", 1500);
          case 2 -> self.get(device).clear();
          case 3 -> bridged.get(device).clear();
          default -> neighbours.values().forEach(Map::clear);
        }
      }
    }

    Reach reach() {
      SortedMap<String, Tunnel> tunnels = new TreeMap<>();
      devices.forEach((device, t) -> {
        TreeMap<String, String> entries = new TreeMap<>(self.get(device));
        entries.replaceAll((mac, node) -> bridged.get(device).contains(mac) ? node : "");
        bridged.get(device).forEach(mac -> entries.putIfAbsent(mac, ""));
        tunnels.put(device, new Tunnel(device, t.bridge(), t.vni(), t.local(), t.port(), t.mtu(), entries));
      });
      SortedMap<String, SortedMap<String, String>> known = new TreeMap<>(neighbours);
      return new Reach(tunnels, known);
    }
  }
}
