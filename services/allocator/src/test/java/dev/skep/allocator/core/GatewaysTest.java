package dev.skep.allocator.core;

import static dev.skep.state.v1.TaskState.TASK_REMOVE;
import static dev.skep.state.v1.TaskState.TASK_RUNNING;
import static dev.skep.state.v1.TaskState.TASK_SHUTDOWN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.testkit.gen.Specs;
import org.junit.jupiter.api.Test;

/** Which node has an address of its own in which network, and for how long. */
final class GatewaysTest {
  /** Task web.1 of service web runs on n1 and is attached to front. */
  private static Scene front() {
    return Scene.on("n1", "n2").network("front", "10.1.0.0/24").service("web", "front").task("web.1").placed("web.1", "n1");
  }

  @Test
  void everyNodeHasOneInIngressTheFirstTheGatewaysOwn() {
    Scene scene = Scene.on("n1", "n2").ingress();
    assertThat(scene.gateway("n1", Specs.INGRESS)).isEqualTo("10.0.0.1");
    assertThat(scene.gateway("n2", Specs.INGRESS)).isEqualTo("10.0.0.2");
    assertThat(scene.nodeJoins("n3").gateway("n3", Specs.INGRESS)).isEqualTo("10.0.0.3");
  }

  @Test
  void andInTheNetworksOfItsTasks() {
    Scene scene = front();
    assertThat(scene.gateway("n1", "front")).isEqualTo("10.1.0.1");
    assertThat(scene.gateway("n2", "front")).isEqualTo("none");
    scene.task("web.2").placed("web.2", "n2");
    assertThat(scene.gateway("n2", "front")).as("behind the first task's 10.1.0.3 and the second's").isEqualTo("10.1.0.5");
  }

  @Test
  void itStaysWhileTheTaskIsThereAlsoStopped() {
    Scene scene = front().wants("web.1", TASK_SHUTDOWN).reports("web.1", TASK_SHUTDOWN);
    assertThat(scene.gateway("n1", "front")).isEqualTo("10.1.0.1");
    assertThat(scene.forgotten("web.1").gateway("n1", "front")).isEqualTo("none");
  }

  @Test
  void andWhileTheNodeReportsTheBridge() {
    Scene scene = front().bridges("n1", "front").reports("web.1", TASK_SHUTDOWN).forgotten("web.1");
    assertThat(scene.gateway("n1", "front")).isEqualTo("10.1.0.1");
    assertThat(scene.bridges("n1").gateway("n1", "front")).isEqualTo("none");
  }

  @Test
  void theGatewaysOwnAddressGoesToTheNextNodeThatAsks() {
    Scene scene = front().forgotten("web.1").task("web.2").placed("web.2", "n2");
    assertThat(scene.gateway("n2", "front")).isEqualTo("10.1.0.1");
  }

  /** A removed service's template is deleted before its tasks have stopped: what they hold is in their address rows. */
  @Test
  void itStaysWhileATaskHoldsAnAddressThoughItsTemplateIsGone() {
    Scene scene = front().reports("web.1", TASK_RUNNING).wants("web.1", TASK_REMOVE).removed("web").templateRemoved("web");
    assertThat(scene.gateway("n1", "front")).isEqualTo("10.1.0.1");
    assertThat(scene.bridges("n1", "front").bridges("n1").gateway("n1", "front")).as("looked at again").isEqualTo("10.1.0.1");
    assertThat(scene.reports("web.1", TASK_SHUTDOWN).forgotten("web.1").gateway("n1", "front")).isEqualTo("none");
  }

  @Test
  void aRemovedNodesAddressesAreFree() {
    Scene scene = front().ingress().nodeRemoved("n1");
    assertThat(scene.gateway("n1", "front")).isEqualTo("none");
    assertThat(scene.gateway("n1", Specs.INGRESS)).isEqualTo("none");
    assertThat(scene.gateway("n2", Specs.INGRESS)).isEqualTo("10.0.0.2");
  }

  @Test
  void whereNoneIsLeftTheRowSaysSoAndItIsTriedAgain() {
    Scene scene = Scene.on("n1", "n2").network("tiny", "10.1.0.0/29").service("web", "tiny").tasks("web", 1, 4);
    scene.placed("web.1", "n1").placed("web.2", "n2");
    assertThat(scene.gateway("n1", "tiny")).isEqualTo("10.1.0.1");
    assertThat(scene.gateway("n2", "tiny")).isEqualTo("no address left in network tiny (10.1.0.0/29): 6 in use");
    assertThat(scene.forgotten("web.4").gateway("n2", "tiny")).isEqualTo("10.1.0.6");
  }

  @Test
  void aRemovedNetworksGoWhenTheirBridgeHasGone() {
    Scene scene = Scene.on("n1").network("front").service("web", "front").task("web.1").placed("web.1", "n1");
    scene.bridges("n1", "front").removed("web").reports("web.1", TASK_SHUTDOWN).forgotten("web.1").networkRemoved("front");
    assertThat(scene.gateway("n1", "front")).isEqualTo("10.0.0.1");
    assertThat(scene.subnet("front")).isEqualTo("10.0.0.0/24");
    scene.bridges("n1");
    assertThat(scene.gateway("n1", "front")).isEqualTo("none");
    assertThat(scene.subnet("front")).isEqualTo("none");
  }

  /** The scheduler may be giving the task to n1 at this moment, and n1 would make its bridge with what is given up here. */
  @Test
  void itStaysWhileATaskWithAnAddressThereHasNoNodeYet() {
    Scene scene = front().task("web.2").forgotten("web.1");
    assertThat(scene.gateway("n1", "front")).isEqualTo("10.1.0.1");
    assertThat(scene.placed("web.2", "n2").gateway("n1", "front")).as("it went elsewhere").isEqualTo("none");
  }

  @Test
  void itStaysUntilTheTaskWithoutANodeIsGone() {
    Scene scene = front().task("web.2").forgotten("web.1").forgotten("web.2");
    assertThat(scene.gateway("n1", "front")).isEqualTo("none");
  }
}
