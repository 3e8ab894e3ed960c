package dev.skep.agent.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DriftTest {
  private static final Ownership OWNERSHIP = new Ownership("", "cluster", "node1");
  private static final NetworkWant WANT =
      NetworkPlanTest.want(
          List.of(NetworkPlanTest.NET1, NetworkPlanTest.NET2), Map.of("10.0.1.2", List.of("10.0.1.7")), Set.of("10.0.1.7"), 5300);
  private static final NetworkHave HAVE = NetworkPlan.diff(WANT, NetworkHave.nothing(Map.of()), OWNERSHIP, List.of(), "host1", 1).then();

  private final Set<String> networks = new HashSet<>(Set.of("n1", "n2", "n9"));
  private final Set<String> chains = new HashSet<>(RuleText.chains(HAVE.ruled().values(), HAVE.vips().keySet()));
  private final Set<String> filled = new HashSet<>(RuleText.filled(HAVE));
  private final Set<String> local =
      new HashSet<>(Set.of("127.0.0.1 lo", "192.168.1.1 eth0", "10.0.1.1 skb4097", "10.0.2.1 skb4098", "10.0.1.2 skb4097"));

  private final Set<String> linked = new HashSet<>(Set.of("192.168.1.0/24 eth0", "10.0.1.0/24 skb4097", "10.0.2.0/24 skb4098"));

  private Drift drift() {
    return Drift.of(HAVE, new Drift.Seen(networks, chains, filled, local, linked, Reach.NONE));
  }

  @Test
  void nothingIsMissingWhenAllStands() {
    assertThat(drift()).isEqualTo(Drift.NONE);
    assertThat(Drift.NONE.from(HAVE)).isSameAs(HAVE);
  }

  @Test
  void aLostNetworkIsPlannedAgain() {
    networks.remove("n2");
    assertThat(drift().networks()).containsExactly(NetworkPlanTest.NET2);
    NetworkPlan plan = NetworkPlan.diff(WANT, drift().from(HAVE), OWNERSHIP, List.of(), "host1", 1);
    assertThat(plan.steps()).contains(new NetworkStep.CreateNetwork(NetworkPlanTest.NET2)).doesNotContain(new NetworkStep.CreateNetwork(NetworkPlanTest.NET1));
  }

  @Test
  void aLostBridgeTakesItsAddressesWithIt() {
    local.removeIf(route -> route.endsWith("skb4097"));
    linked.remove("10.0.1.0/24 skb4097");
    assertThat(drift().bridges()).containsExactly(NetworkPlanTest.NET1);
    assertThat(drift().vips()).containsExactly("10.0.1.2");
    NetworkPlan plan = NetworkPlan.diff(WANT, drift().from(HAVE), OWNERSHIP, List.of(), "host1", 1);
    assertThat(plan.steps()).contains(new NetworkStep.Ip(List.of("route replace local 10.0.1.2/32 dev skb4097")));
  }

  @Test
  void rulesOfAFailedPlanAreNotTrustedAgain() {
    NetworkHave failed = HAVE.with(false, HAVE.overlays());
    Drift onlyTunnels = new Drift(List.of(), List.of(), List.of(), List.of(), List.of("skx1"), List.of(), Reach.NONE);
    assertThat(onlyTunnels.from(HAVE).loaded()).isTrue();
    assertThat(onlyTunnels.from(failed).loaded()).isFalse();
  }

  @Test
  void aLostChainMeansThatAllRulesAreLoaded() {
    chains.remove("v_10_0_1_2");
    assertThat(drift().rules()).containsExactly("v_10_0_1_2");
    assertThat(drift().from(HAVE).loaded()).isFalse();
  }

  @Test
  void anEmptiedChainMeansThatAllRulesAreLoaded() {
    assertThat(filled).contains("v_10_0_1_2", "raw", "names", "resolver");
    filled.remove("raw");
    assertThat(drift().rules()).containsExactly("raw");
    assertThat(drift().from(HAVE).loaded()).isFalse();
  }

  @Test
  void chainsThatHoldNothingBeforeTheyAreNeededAreNotMissed() {
    NetworkWant quiet =
        NetworkPlanTest.want(List.of(NetworkPlanTest.NET1), Map.of("10.0.1.2", List.of()), Set.of(), 0);
    NetworkHave have = NetworkPlan.diff(quiet, NetworkHave.nothing(Map.of()), OWNERSHIP, List.of(), "host1", 1).then();
    assertThat(RuleText.filled(have)).doesNotContain("v_10_0_1_2", "names", "resolver").contains("pre");
  }

  @Test
  void anAddressOfNoServiceIsAStray() {
    local.add("10.0.1.44 skb4097");
    assertThat(drift().strays()).containsExactly("10.0.1.44 skb4097");
    assertThat(drift().lost()).isFalse();
  }
}
