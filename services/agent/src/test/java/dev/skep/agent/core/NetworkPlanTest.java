package dev.skep.agent.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.agent.core.NetworkWant.Overlay;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class NetworkPlanTest {
  private static final Ownership OWNERSHIP = new Ownership("", "cluster", "node1");
  static final Overlay NET1 = new Overlay("n1", "skb4097", 4097, "10.0.1.0/24", "10.0.1.1", 1450, false);
  static final Overlay NET2 = new Overlay("n2", "skb4098", 4098, "10.0.2.0/24", "10.0.2.1", 1450, true);

  static NetworkWant want(List<Overlay> overlays, Map<String, List<String>> backends, Set<String> endpoints, int dnsPort) {
    Map<String, Overlay> byId = new TreeMap<>();
    overlays.forEach(overlay -> byId.put(overlay.id(), overlay));
    Map<String, Vip> vips = new TreeMap<>();
    backends.forEach((vip, list) -> vips.put(vip, new Vip(vip.startsWith("10.0.1.") ? "n1" : "n2", vip, list)));
    return new NetworkWant(byId, vips, new TreeSet<>(), endpoints, dnsPort, new TreeSet<>(), Remotes.NONE);
  }

  private static NetworkPlan plan(NetworkWant want, NetworkHave have) {
    return NetworkPlan.diff(want, have, OWNERSHIP, List.of("192.168.0.0/16"), "host1", 1);
  }

  private static String rules(NetworkPlan plan) {
    List<String> scripts = new ArrayList<>();
    plan.steps().forEach(
        step -> {
          if (step instanceof NetworkStep.Rules r) {
            scripts.add(r.script());
          }
        });
    return String.join("---\n", scripts);
  }

  @Test
  void rulesComeBeforeTheBridgeAndRoutesAfterIt() {
    NetworkPlan plan = plan(want(List.of(NET1), Map.of("10.0.1.2", List.of("10.0.1.7")), Set.of("10.0.1.7"), 5300), NetworkHave.nothing(Map.of()));
    assertThat(plan.steps()).extracting(step -> step.getClass().getSimpleName())
        .containsExactly("Rules", "CreateNetwork", "BridgeAddress", "Sysctl", "Sysctl", "Ip");
    assertThat(rules(plan)).contains(
        "delete table ip skep", "dnat to numgen inc mod 1 map @b_10_0_1_2", "ip daddr 10.0.1.1 meta l4proto { tcp, udp } th dport 53 redirect to :5300");
    assertThat(plan.steps().getLast()).isEqualTo(new NetworkStep.Ip(List.of("route replace local 10.0.1.2/32 dev skb4097")));
    assertThat(plan(want(List.of(NET1), Map.of("10.0.1.2", List.of("10.0.1.7")), Set.of("10.0.1.7"), 5300), plan.then()).steps()).isEmpty();
  }

  @Test
  void theSameNumberOfBackendsKeepsTheCount() {
    NetworkHave have = plan(want(List.of(NET1), Map.of("10.0.1.2", List.of("10.0.1.7", "10.0.1.8")), Set.of(), 0), NetworkHave.nothing(Map.of())).then();
    NetworkPlan swap = plan(want(List.of(NET1), Map.of("10.0.1.2", List.of("10.0.1.8", "10.0.1.9")), Set.of("10.0.1.8", "10.0.1.9", "10.0.1.7"), 0), have);
    int slot = have.vips().get("10.0.1.2").backends().indexOf("10.0.1.7");
    assertThat(rules(swap)).isEqualTo(
        "delete element ip skep b_10_0_1_2 { " + slot + " }\nadd element ip skep b_10_0_1_2 { " + slot + " : 10.0.1.9 }\n");
    assertThat(swap.steps()).contains(new NetworkStep.ForgetUdp("10.0.1.7"));
    NetworkPlan gone = plan(want(List.of(NET1), Map.of("10.0.1.2", List.of("10.0.1.8")), Set.of("10.0.1.8"), 0), swap.then());
    assertThat(rules(gone)).contains("flush chain ip skep v_10_0_1_2", "numgen inc mod 1", "add element ip skep dead { 10.0.1.9 timeout 5m }");
    NetworkPlan back = plan(want(List.of(NET1), Map.of("10.0.1.2", List.of("10.0.1.8", "10.0.1.9")), Set.of("10.0.1.8", "10.0.1.9"), 0), gone.then());
    assertThat(rules(back)).contains("delete element ip skep dead { 10.0.1.9 }");
  }

  @Test
  void aDrainingBackendIsNotReset() {
    NetworkHave have = plan(want(List.of(NET1), Map.of("10.0.1.2", List.of("10.0.1.7")), Set.of("10.0.1.7"), 0), NetworkHave.nothing(Map.of())).then();
    NetworkPlan drain = plan(want(List.of(NET1), Map.of("10.0.1.2", List.of()), Set.of("10.0.1.7"), 0), have);
    assertThat(rules(drain)).isEqualTo("flush chain ip skep v_10_0_1_2\nflush map ip skep b_10_0_1_2\n");
  }

  @Test
  void anOverlayThatOverlapsARouteOfTheHostIsNotMade() {
    Overlay wide = new Overlay("n9", "skb9", 9, "192.168.7.0/24", "192.168.7.1", 1450, false);
    NetworkPlan plan = plan(want(List.of(NET1, wide), Map.of(), Set.of(), 0), NetworkHave.nothing(Map.of()));
    assertThat(plan.problems()).containsEntry("n9", "subnet 192.168.7.0/24 overlaps the route 192.168.0.0/16 of node host1");
    assertThat(plan.steps()).doesNotContain(new NetworkStep.CreateNetwork(wide)).contains(new NetworkStep.CreateNetwork(NET1));
    NetworkPlan standing = plan(want(List.of(wide), Map.of(), Set.of(), 0), NetworkHave.nothing(Map.of("n9", wide)));
    assertThat(standing.problems()).as("what stands is left alone").isEmpty();
  }

  @Test
  void anOverlayLeavesWithItsRulesAndVips() {
    NetworkHave have =
        plan(want(List.of(NET1, NET2), Map.of("10.0.2.2", List.of("10.0.2.7")), Set.of("10.0.2.7"), 5300), NetworkHave.nothing(Map.of())).then();
    NetworkPlan plan = plan(want(List.of(NET1), Map.of(), Set.of(), 5300), have);
    assertThat(plan.steps()).contains(new NetworkStep.RemoveNetwork(NET2));
    assertThat(rules(plan)).contains("delete chain ip skep in_skb4098", "delete map ip skep b_10_0_2_2", "delete element ip skep ovnet { 10.0.2.0/24 }");
    assertThat(rules(plan)).doesNotContain("route del");
  }

  @Test
  void slotsAreStableForAnyHistory() {
    for (long seed = 0; seed < 500; seed++) {
      Random random = new Random(seed);
      List<String> slots = List.of();
      for (int round = 0; round < 20; round++) {
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
          if (random.nextBoolean()) {
            wanted.add("10.0.1." + i);
          }
        }
        List<String> next = NetworkPlan.arrange(slots, wanted, random.nextInt());
        assertThat(next).as("seed %d round %d", seed, round).containsExactlyInAnyOrderElementsOf(wanted);
        if (next.size() == slots.size()) {
          for (int slot = 0; slot < next.size(); slot++) {
            assertThat(!wanted.contains(slots.get(slot)) || next.get(slot).equals(slots.get(slot))).as("seed %d round %d", seed, round).isTrue();
          }
        }
        slots = next;
      }
    }
  }

  @Test
  void theHostFirewallOpensOnlyWhatContainersNeed() {
    SortedSet<String> bridges = new TreeSet<>(Set.of("skb4097"));
    SortedSet<String> members = new TreeSet<>(Set.of("192.0.2.7", "192.0.2.8"));
    var need = new HostFirewall.Need(bridges, 5300, new TreeSet<>(Arrays.asList("tcp/80", "udp/53")), members, 4799);
    String chain = HostFirewall.chain(OWNERSHIP, need);
    assertThat(chain.lines()).contains(
        ":SKEP-INPUT - [0:0]",
        "-A SKEP-INPUT -i skb4097 -p udp -m udp --dport 5300 -j ACCEPT",
        "-A SKEP-INPUT -i skb4097 -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A SKEP-INPUT -s 192.0.2.7/32 -p udp -m udp --dport 4799 -j ACCEPT",
        "-A SKEP-INPUT -i docker0 -p udp -m udp --dport 53 -j ACCEPT");
    assertThat(HostFirewall.nativeRules(OWNERSHIP, new HostFirewall.Need(bridges, 5300, new TreeSet<>(), members, 4799)))
        .containsExactly(
            "iifname { \"skb4097\" } meta l4proto . th dport { udp . 5300, tcp . 5300 } accept comment \"SKEP-INPUT\"",
            "udp dport 4799 ip saddr { 192.0.2.7, 192.0.2.8 } accept comment \"SKEP-INPUT\"");
    assertThat(HostFirewall.nativeRules(OWNERSHIP, HostFirewall.Need.NOTHING)).isEmpty();
  }

  @Test
  void onlyWhatCarriesOurLabelsIsAdoptedOrRemoved() {
    Map<String, String> mine = OWNERSHIP.networkLabels("x");
    var found =
        List.of(
            new Adoption.Found("c1", with(mine, "t1")),
            new Adoption.Found("c2", with(mine, "t2")),
            new Adoption.Found("old", with(new Ownership("", "oldcluster", "node0").networkLabels("x"), "t1")),
            new Adoption.Found("other", with(new Ownership("00aa", "cluster", "node2").networkLabels("x"), "t1")),
            new Adoption.Found("foreign", Map.of(Ownership.TASK, "t1")));
    Adoption first = Adoption.of(OWNERSHIP, found, Set.of("t1"), false);
    assertThat(first).isEqualTo(new Adoption(Map.of("t1", "c1"), List.of("old"), List.of("c2")));
    assertThat(Adoption.of(OWNERSHIP, found, Set.of("t1"), true).doomed()).containsExactly("c2", "old");
  }

  private static Map<String, String> with(Map<String, String> labels, String task) {
    Map<String, String> all = new TreeMap<>(labels);
    all.put(Ownership.TASK, task);
    return all;
  }
}
