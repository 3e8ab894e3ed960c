package dev.skep.allocator.core;

import static dev.skep.state.v1.TaskState.TASK_SHUTDOWN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.v1.TaskState;
import dev.skep.testkit.gen.Specs;
import org.junit.jupiter.api.Test;

/** Which subnet and number a network gets, and when they are free again. */
final class SubnetsTest {
  @Test
  void oneAfterTheOtherOutOfTheClustersPool() {
    Scene scene = Scene.on("n1").network("a").network("b").network("c");
    assertThat(scene.subnet("a")).isEqualTo("10.0.0.0/24");
    assertThat(scene.subnet("b")).isEqualTo("10.0.1.0/24");
    assertThat(scene.subnet("c")).isEqualTo("10.0.2.0/24");
  }

  @Test
  void ingressGetsASixteenth() {
    Scene scene = Scene.on("n1").ingress().network("a");
    assertThat(scene.subnet(Specs.INGRESS)).isEqualTo("10.0.0.0/16");
    assertThat(scene.subnet("a")).isEqualTo("10.1.0.0/24");
  }

  @Test
  void butNotOutOfAPoolThatCannotSpareOne() {
    assertThat(Scene.on("n1").pools(24, "10.9.0.0/16").ingress().subnet(Specs.INGRESS)).isEqualTo("10.9.0.0/24");
  }

  @Test
  void numbersFollowEachOtherBehindThatOfIngress() {
    Scene scene = Scene.on("n1").network("a").ingress().network("b");
    assertThat(scene.number(Specs.INGRESS)).isEqualTo(4096);
    assertThat(scene.number("a")).isEqualTo(4097);
    assertThat(scene.number("b")).isEqualTo(4098);
  }

  @Test
  void aNumberAskedForIsGivenOnce() {
    Scene scene = Scene.on("n1");
    for (String id : new String[] {"a", "b"}) {
      scene.network(id, network -> network.putOptions("com.docker.network.driver.overlay.vxlanid_list", "5000"));
    }
    assertThat(scene.number("a")).isEqualTo(5000);
    assertThat(scene.subnet("b")).isEqualTo("the network number asked for is in use by another network");
    assertThat(scene.networkRemoved("a").number("b")).isEqualTo(5000);
  }

  @Test
  void theNextPoolFollowsWhenOneIsFull() {
    Scene scene = Scene.on("n1").pools(24, "10.1.0.0/23", "10.2.0.0/24").network("a").network("b").network("c").network("d");
    assertThat(scene.subnet("b")).isEqualTo("10.1.1.0/24");
    assertThat(scene.subnet("c")).isEqualTo("10.2.0.0/24");
    assertThat(scene.subnet("d")).isEqualTo("no subnet left in 10.1.0.0/23, 10.2.0.0/24: 3 in use, 0 routes of nodes kept free");
  }

  @Test
  void aNetworkWithoutSubnetGetsTheFirstThatBecomesFree() {
    Scene scene = Scene.on("n1").pools(24, "10.1.0.0/24").network("a").network("b");
    assertThat(scene.subnet("b")).startsWith("no subnet left");
    assertThat(scene.networkRemoved("a").subnet("b")).isEqualTo("10.1.0.0/24");
  }

  @Test
  void aSubnetThatHasJustBecomeFreeRests() {
    Scene scene = Scene.on("n1").network("a").network("b").networkRemoved("a").network("c");
    assertThat(scene.subnet("c")).isEqualTo("10.0.2.0/24");
  }

  @Test
  void untilANodeHasReportedItsRoutesNothingIsGiven() {
    Scene scene = Scene.on().network("a");
    assertThat(scene.subnet("a")).isEqualTo("no node has reported its routes yet");
    assertThat(scene.nodeJoins("n1").subnet("a")).isEqualTo("10.0.0.0/24");
  }

  @Test
  void subnetsThatARouteOfANodeCoversAreSkipped() {
    assertThat(Scene.on("n1", "n2").routes("n2", "10.0.0.0/16").network("a").subnet("a")).isEqualTo("10.1.0.0/24");
    assertThat(Scene.on("n1").routes("n1", "10.0.0.128/25", "10.0.1.7/32").network("a").subnet("a")).isEqualTo("10.0.2.0/24");
  }

  @Test
  void theDefaultRouteIsInNobodysWay() {
    assertThat(Scene.on("n1").routes("n1", "0.0.0.0/0").network("a").subnet("a")).isEqualTo("10.0.0.0/24");
  }

  @Test
  void whenAllIsRoutedTheReasonCountsTheRoutes() {
    assertThat(Scene.on("n1").routes("n1", "10.0.0.0/8").network("a").subnet("a"))
        .isEqualTo("no subnet left in 10.0.0.0/8: 0 in use, 1 routes of nodes kept free");
  }

  // ---- asked for ----

  @Test
  void theUsersOwnIsGivenAsAsked() {
    Scene scene = Scene.on("n1").network("a").network("own", "192.168.7.0/24").network("b");
    assertThat(scene.subnet("own")).isEqualTo("192.168.7.0/24");
    assertThat(scene.subnet("b")).as("and says nothing about where the others have come to").isEqualTo("10.0.1.0/24");
  }

  @Test
  void oneThatOverlapsARouteSaysWhichAndWhose() {
    Scene scene = Scene.on("n1").routes("n1", "10.1.0.0/16").network("own", "10.1.2.0/24");
    assertThat(scene.subnet("own")).isEqualTo("subnet 10.1.2.0/24 overlaps the route 10.1.0.0/16 of node host-n1");
    assertThat(scene.routes("n1").subnet("own")).as("the route is gone").isEqualTo("10.1.2.0/24");
  }

  @Test
  void oneThatOverlapsANetworkSaysWhich() {
    Scene scene = Scene.on("n1").network("front").network("own", "10.0.0.0/16");
    assertThat(scene.subnet("own")).isEqualTo("subnet 10.0.0.0/16 overlaps the subnet 10.0.0.0/24 of network front");
    assertThat(scene.networkRemoved("front").subnet("own")).isEqualTo("10.0.0.0/16");
  }

  @Test
  void aRouteThatComesLaterTakesNothingAway() {
    assertThat(Scene.on("n1").network("a").routes("n1", "10.0.0.0/8").subnet("a")).isEqualTo("10.0.0.0/24");
  }

  @Test
  void aSubnetThatCannotBeReadQuarantinesItsNetworkAlone() {
    Scene scene = Scene.on("n1").network("bad", "nonsense").network("a");
    assertThat(scene.subnet("a")).isEqualTo("10.0.0.0/24");
    assertThat(scene.subnet("bad")).isEqualTo("none");
    assertThat(scene.bench().quarantined()).containsOnlyKeys("bad");
  }

  // ---- release ----

  @Test
  void aRemovedNetworksSubnetIsFree() {
    Scene scene = Scene.on("n1").network("a").networkRemoved("a");
    assertThat(scene.subnet("a")).isEqualTo("none");
  }

  @Test
  void butKeptWhileANodeReportsItsBridge() {
    Scene scene = Scene.on("n1").network("a").bridges("n1", "a").networkRemoved("a");
    assertThat(scene.subnet("a")).isEqualTo("10.0.0.0/24");
    assertThat(scene.network("own", "10.0.0.0/24").subnet("own"))
        .isEqualTo("subnet 10.0.0.0/24 overlaps the subnet 10.0.0.0/24 of a removed network that nodes have not given up yet");
    assertThat(scene.bridges("n1").subnet("a")).isEqualTo("none");
    assertThat(scene.subnet("own")).as("tried again at once").isEqualTo("10.0.0.0/24");
  }

  @Test
  void orUntilThatNodeIsRemoved() {
    Scene scene = Scene.on("n1").network("a").bridges("n1", "a").networkRemoved("a");
    assertThat(scene.nodeRemoved("n1").subnet("a")).isEqualTo("none");
  }

  @Test
  void andWhileATaskHoldsAnAddressInItAlsoOneOfHistory() {
    Scene scene = Scene.on("n1").network("a").service("web", "a").task("web.1").placed("web.1", "n1");
    scene.removed("web").networkRemoved("a");
    assertThat(scene.subnet("a")).isEqualTo("10.0.0.0/24");
    scene.wants("web.1", TaskState.TASK_REMOVE).reports("web.1", TASK_SHUTDOWN);
    assertThat(scene.subnet("a")).as("stopped, but still there").isEqualTo("10.0.0.0/24");
    assertThat(scene.nodeRemoved("n1").subnet("a")).as("also when no node has a gateway in it any more").isEqualTo("10.0.0.0/24");
    assertThat(scene.forgotten("web.1").subnet("a")).isEqualTo("none");
  }
}
