package dev.skep.allocator.core;

import static dev.skep.state.v1.TaskState.TASK_FAILED;
import static dev.skep.state.v1.TaskState.TASK_REMOVE;
import static dev.skep.state.v1.TaskState.TASK_RUNNING;
import static dev.skep.state.v1.TaskState.TASK_SHUTDOWN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.IPAMPool;
import dev.skep.state.Rows;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which address a task gets in its networks, and when it is free again. */
final class AddressesTest {
  /** 10.1.0.1 is the gateway's, 10.1.0.2 the service's own; tasks begin at 10.1.0.3. */
  private static Scene front(int prefixLength) {
    return Scene.on("n1").network("front", "10.1.0.0/" + prefixLength).service("web", "front");
  }

  @Test
  void oneAfterTheOtherBehindGatewayAndService() {
    assertThat(front(24).tasks("web", 1, 3).addresses("web")).containsExactly("10.1.0.3/24", "10.1.0.4/24", "10.1.0.5/24");
  }

  @Test
  void oneInEachNetworkInTheOrderAsked() {
    Scene scene = Scene.on("n1").network("a", "10.1.0.0/24").network("b", "10.2.0.0/24").service("web", "b", "a").task("web.1");
    assertThat(scene.address("web.1")).isEqualTo("10.2.0.3/24 10.1.0.3/24");
  }

  @Test
  void ingressComesLast() {
    Scene scene = Scene.on("n1").ingress().network("a", "192.168.0.0/24").service("web", Scene.publishing("80:8080"), "a");
    assertThat(scene.task("web.1").address("web.1")).isEqualTo("192.168.0.3/24 10.0.0.3/16");
  }

  @Test
  void withoutNetworksTheRowIsEmptyAndThereforeTheTaskMayBePlaced() {
    Scene scene = Scene.on("n1").service("web").task("web.1");
    assertThat(scene.address("web.1")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"host", "bridge", "none"})
  void inNetworksOfTheNodeNothingIsAllocated(String network) {
    assertThat(Scene.on("n1").service("web", network).task("web.1").address("web.1")).isEmpty();
  }

  @Test
  void anAddressThatHasJustBecomeFreeIsNotGivenNext() {
    Scene scene = front(24).tasks("web", 1, 2).reports("web.2", TASK_FAILED);
    assertThat(scene.task("web.3").address("web.3")).isEqualTo("10.1.0.5/24");
    scene.forgotten("web.1", "web.2").task("web.4");
    assertThat(scene.address("web.4")).isEqualTo("10.1.0.6/24");
  }

  @Test
  void onlyAtTheEndDoesItBeginAgainFromTheStart() {
    Scene scene = front(29).tasks("web", 1, 4).forgotten("web.2", "web.3");
    assertThat(scene.tasks("web", 5, 6).addresses("web")).containsExactly("10.1.0.3/29", "10.1.0.6/29", "10.1.0.4/29", "10.1.0.5/29");
  }

  @Test
  void gatewayRangeAndReservedAddressesAreTheUsersOwn() {
    IPAMPool pool =
        IPAMPool.newBuilder().setSubnet("10.1.0.0/24").setIpRange("10.1.0.128/29").setGateway("10.1.0.130")
            .putAuxiliaryAddresses("printer", "10.1.0.129").build();
    Scene scene = Scene.on("n1").network("front", network -> network.addPools(pool)).service("web", Scene.mode("dnsrr"), "front");
    assertThat(scene.tasks("web", 1, 2).addresses("web")).containsExactly("10.1.0.128/24", "10.1.0.131/24");
    assertThat(scene.placed("web.1", "n1").gateway("n1", "front")).isEqualTo("10.1.0.130");
  }

  // ---- nothing left ----

  @Test
  void whenAllAreTakenTheReasonSaysWhereAndHowMany() {
    Scene scene = front(29).tasks("web", 1, 5);
    assertThat(scene.address("web.4")).isEqualTo("10.1.0.6/29");
    assertThat(scene.address("web.5")).isEqualTo("no address left in network front (10.1.0.0/29): 6 in use");
  }

  @Test
  void whoWaitsGetsTheFirstThatBecomesFreeInTheOrderOfComing() {
    Scene scene = front(29).tasks("web", 1, 4).task("web.9").task("web.5");
    assertThat(scene.reports("web.2", TASK_SHUTDOWN).address("web.9")).isEqualTo("10.1.0.4/29");
    assertThat(scene.address("web.5")).startsWith("no address left");
    assertThat(scene.forgotten("web.1").address("web.5")).isEqualTo("10.1.0.3/29");
  }

  @Test
  void allNetworksOrNone() {
    Scene scene = Scene.on("n1").network("wide", "10.1.0.0/24").network("small", "10.2.0.0/30");
    scene.service("web", "wide", "small").task("web.1");
    assertThat(scene.address("web.1")).isEqualTo("no address left in network small (10.2.0.0/30): 2 in use");
    scene.service("other", "wide").task("other.1");
    assertThat(scene.address("other.1")).as("nothing was taken from the wide one").isEqualTo("10.1.0.4/24");
  }

  @Test
  void aReasonIsNotWrittenTwice() {
    Scene scene = front(29).tasks("web", 1, 5);
    long written = scene.bench().state().row(Rows.ADDRESS.key("web.5")).modRevision();
    assertThat(scene.reports("web.1", TASK_RUNNING).bench().state().row(Rows.ADDRESS.key("web.5")).modRevision()).isEqualTo(written);
  }

  @Test
  void aNetworkWithoutSubnetIsTheReason() {
    Scene scene = Scene.on("n1").routes("n1", "10.1.0.0/16").network("front", "10.1.0.0/24").service("web", "front").task("web.1");
    assertThat(scene.address("web.1"))
        .isEqualTo("network front has no subnet: subnet 10.1.0.0/24 overlaps the route 10.1.0.0/16 of node host-n1");
    assertThat(scene.routes("n1").address("web.1")).isEqualTo("10.1.0.3/24");
  }

  @Test
  void aNetworkThatDoesNotExistIsTheReason() {
    assertThat(Scene.on("n1").service("web", "gone").task("web.1").address("web.1")).isEqualTo("network gone not found");
  }

  @Test
  void aTaskWhoseTemplateIsNotStoredQuarantinesItsServiceAlone() {
    Scene scene = front(24).service("other", "front");
    scene.bench().cluster().delete(Rows.template("web", 1));
    assertThat(scene.task("web.1", "other.1").address("web.1")).isEqualTo("none");
    assertThat(scene.address("other.1")).isEqualTo("10.1.0.4/24");
    assertThat(scene.bench().quarantined()).containsOnlyKeys("web");
  }

  // ---- release ----

  @Test
  void aTaskThatIsToldToStopKeepsItsAddress() {
    Scene scene = front(29).tasks("web", 1, 4).wants("web.1", TASK_REMOVE);
    assertThat(scene.task("web.5").address("web.5")).startsWith("no address left");
    assertThat(scene.removed("web").address("web.1")).as("also when its service is gone").isEqualTo("10.1.0.3/29");
  }

  @Test
  void itsRowGoesOnlyWithItsIntent() {
    Scene scene = front(24).task("web.1").placed("web.1", "n1").removed("web");
    scene.wants("web.1", TASK_REMOVE).reports("web.1", TASK_SHUTDOWN);
    assertThat(scene.address("web.1")).as("history still shows it").isEqualTo("10.1.0.3/24");
    assertThat(scene.forgotten("web.1").address("web.1")).isEqualTo("none");
  }

  @Test
  void whatAStoppedTaskHadIsFreeThoughItsRowStays() {
    Scene scene = front(29).tasks("web", 1, 4).reports("web.1", TASK_SHUTDOWN).task("web.5");
    assertThat(scene.address("web.1")).isEqualTo("10.1.0.3/29");
    assertThat(scene.address("web.5")).isEqualTo("10.1.0.3/29");
  }

  @Test
  void aTaskThatIsToStopBeforeItHasAnyGetsNone() {
    Scene scene = front(29).tasks("web", 1, 5).wants("web.5", TASK_SHUTDOWN).forgotten("web.1");
    assertThat(scene.address("web.5")).startsWith("no address left");
  }
}
