package dev.skep.orchestrator.core;

import static dev.skep.state.v1.TaskState.TASK_COMPLETE;
import static dev.skep.state.v1.TaskState.TASK_FAILED;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A global service follows the nodes: its slots are named after them. */
final class GlobalTest {
  private static Scene twoNodes() {
    return Scene.on("n1", "n2").global().running();
  }

  @Test
  void oneTaskOnEveryNode() {
    Scene web = Scene.on("n1", "n2").global();
    assertThat(web.tasks()).containsExactly("n1 running new", "n2 running new");
    assertThat(web.current("n1").getNodeId()).as("the node is given, for the scheduler to confirm").isEqualTo("n1");
    assertThat(web.current("n1").getSlot()).isZero();
  }

  @Test
  void aNodeThatJoinsGetsItsTask() {
    assertThat(twoNodes().nodeJoins("n3").tasks()).containsExactly("n1 running running n1", "n2 running running n2", "n3 running new");
  }

  @Test
  void aDrainedNodesTaskEndsAndNobodyTakesItsPlace() {
    Scene web = twoNodes().availability("n1", "drain");
    assertThat(web.tasks()).containsExactly("n1 shutdown running n1", "n2 running running n2");
    assertThat(web.stopped().seconds(100).tasks()).containsExactly("n1 shutdown shutdown n1", "n2 running running n2");
  }

  @Test
  void whenItIsActiveAgainItGetsANewOne() {
    Scene web = twoNodes().availability("n1", "drain").stopped().availability("n1", "active");
    assertThat(web.tasks()).containsExactly("n1 shutdown shutdown n1", "n1 running new", "n2 running running n2");
  }

  @Test
  void theNewOneWaitsForTheOldOneToStop() {
    Scene web = twoNodes().availability("n1", "drain").availability("n1", "active");
    assertThat(web.tasks()).containsExactly("n1 shutdown running n1", "n1 ready new", "n2 running running n2");
    assertThat(web.stopped().live()).contains("n1 running new");
  }

  @Test
  void aNodeThatIsDownLosesItsTaskUntilItIsBack() {
    Scene web = twoNodes().nodeIs("n1", "down");
    assertThat(web.tasks()).containsExactly("n1 shutdown running n1", "n2 running running n2");
    assertThat(web.nodeIs("n1", "ready").stopped().live()).containsExactly("n1 running new", "n2 running running n2");
  }

  @Test
  void aRemovedNodesTaskIsForgotten() {
    assertThat(twoNodes().nodeRemoved("n1").tasks()).containsExactly("n2 running running n2");
  }

  @Test
  void aPausedNodeKeepsItsTaskAndGetsNoNewOne() {
    Scene web = twoNodes().availability("n1", "pause");
    assertThat(web.tasks()).containsExactly("n1 running running n1", "n2 running running n2");
    assertThat(Scene.on("n1").availability("n1", "pause").global().tasks()).isEmpty();
  }

  @Test
  void onlyNodesThatMeetTheConstraintsCount() {
    Scene web = Scene.on("n1", "n2").label("n1", "zone", "a");
    web.asking(task -> task.getPlacementBuilder().addConstraints("node.labels.zone==a")).global();
    assertThat(web.tasks()).containsExactly("n1 running new");
    assertThat(web.label("n2", "zone", "a").tasks()).containsExactly("n1 running new", "n2 running new");
  }

  @Test
  void aNodeThatNoLongerMeetsThemLosesItsTask() {
    Scene web = Scene.on("n1", "n2").label("n1", "zone", "a").label("n2", "zone", "a");
    web.asking(task -> task.getPlacementBuilder().addConstraints("node.labels.zone==a")).global().running().label("n1", "zone", "b");
    assertThat(web.tasks()).containsExactly("n1 shutdown running n1", "n2 running running n2");
  }

  @Test
  void aFailedTaskIsReplacedOnItsNodeAfterTheDelay() {
    Scene web = twoNodes().reports("n1", TASK_FAILED);
    assertThat(web.tasks()).containsExactly("n1 shutdown failed n1", "n1 ready new", "n2 running running n2");
    assertThat(web.seconds(5).live()).contains("n1 running new");
  }

  @Test
  void oneThatEndedAndMayNotBeRestartedIsNotMadeAgain() {
    Scene web = Scene.on("n1").asking(task -> task.getRestartPolicyBuilder().setCondition("on-failure")).global().running();
    assertThat(web.reports("n1", TASK_COMPLETE).tasks()).containsExactly("n1 shutdown complete n1");
    assertThat(web.nodeIs("n1", "down").nodeIs("n1", "ready").tasks()).containsExactly("n1 shutdown complete n1");
  }

  @Test
  void anUpdateGoesNodeByNodeAndLeavesAPausedOneAlone() {
    Scene web = Scene.on("n1", "n2", "n3").global().running().availability("n2", "pause").image("image:2");
    assertThat(web.live()).containsExactly("n1 ready new", "n2 running running n2", "n3 running running n3");
    assertThat(web.stopped().running().live()).containsExactly("n1 running running n1", "n2 running running n2", "n3 ready new");
    web.stopped().running().seconds(5);
    assertThat(web.update()).isEqualTo("completed");
    assertThat(web.current("n2").getTemplate()).isEqualTo(1);
    assertThat(web.availability("n2", "active").live()).contains("n2 ready new");
  }
}
