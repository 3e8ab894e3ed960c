package dev.skep.orchestrator.core;

import static dev.skep.state.v1.TaskState.TASK_COMPLETE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.Rows;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens to the tasks of a replicated service when something happens to their node. */
final class EvictionTest {
  private static Scene twoNodes() {
    return Scene.on("n1", "n2").replicas(2).running();
  }

  @Test
  void aDrainedNodesTaskIsReplacedAndTheReplacementWaitsUntilItHasStopped() {
    Scene web = twoNodes().availability("n1", "drain");
    assertThat(web.tasks()).containsExactly("1 shutdown running n1", "1 ready new", "2 running running n2");
    assertThat(web.stopped().tasks()).containsExactly("1 shutdown shutdown n1", "1 running new", "2 running running n2");
  }

  @Test
  void itWaitsAtMostOneMinute() {
    Scene web = twoNodes().availability("n1", "drain");
    assertThat(web.seconds(59).live()).contains("1 ready new");
    assertThat(web.bench().wakeAt()).contains(web.bench().now().plusSeconds(1));
    assertThat(web.seconds(1).live()).contains("1 running new");
  }

  @Test
  void nobodyWaitsForANodeThatIsDown() {
    Scene web = twoNodes().nodeIs("n1", "down");
    assertThat(web.tasks()).containsExactly("1 shutdown running n1", "1 running new", "2 running running n2");
  }

  @Test
  void aReplacementThatWaitsForADrainedNodeGoesOnWhenItGoesDown() {
    Scene web = twoNodes().availability("n1", "drain");
    assertThat(web.nodeIs("n1", "down").live()).contains("1 running new");
  }

  @Test
  void aRemovedNodesTasksAreForgottenAndReplaced() {
    assertThat(twoNodes().nodeRemoved("n1").tasks()).containsExactly("1 running new", "2 running running n2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"unknown", "disconnected"})
  void aNodeThatIsOnlySilentKeepsItsTasks(String state) {
    assertThat(twoNodes().nodeIs("n1", state).tasks()).containsExactly("1 running running n1", "2 running running n2");
  }

  @Test
  void aPausedNodeKeepsItsTasks() {
    assertThat(twoNodes().availability("n1", "pause").tasks()).containsExactly("1 running running n1", "2 running running n2");
  }

  @ParameterizedTest
  @CsvSource({"none, 0", "on-failure, 1", "any, 1"})
  void beingMovedIsNoRestartNeitherConditionNorAttemptsNorDelayCount(String condition, int attempts) {
    Scene web = Scene.on("n1", "n2", "n3");
    web.asking(task -> task.getRestartPolicyBuilder().setCondition(condition).setMaxAttempts(attempts)).replicas(1).runningOn("n1");
    assertThat(web.nodeIs("n1", "down").runningOn("n2").live()).containsExactly("1 running running n2");
    assertThat(web.nodeIs("n2", "down").runningOn("n3").live()).containsExactly("1 running running n3");
    assertThat(web.nodeIs("n3", "down").live()).containsExactly("1 running new");
  }

  @Test
  void whatHasEndedBesideTheDrainStaysAsItIs() {
    Scene web = Scene.on("n1").asking(task -> task.getRestartPolicyBuilder().setCondition("none")).replicas(1).running();
    assertThat(web.reports(1, TASK_COMPLETE).availability("n1", "drain").tasks()).containsExactly("1 shutdown complete n1");
  }

  @Test
  void aReplacementOnANodeThatGoesDownIsReplacedToo() {
    Scene web = Scene.on("n1", "n2", "n3").replicas(1).runningOn("n1").nodeIs("n1", "down").placed(1, "n2").nodeIs("n2", "down");
    assertThat(web.tasks()).containsExactly("1 shutdown running n1", "1 shutdown assigned n2", "1 running new");
  }

  @Test
  void aNodeThatComesBackGetsNothingBack() {
    Scene web = twoNodes().nodeIs("n1", "down").runningOn("n2").nodeIs("n1", "ready");
    assertThat(web.live()).containsExactly("1 running running n2", "2 running running n2");
    assertThat(web.stopped().tasks()).contains("1 shutdown shutdown n1");
  }

  @Test
  void aTaskWhoseNodeNoLongerMeetsTheConstraintsIsRejectedWithTheReason() {
    Scene web = Scene.on("n1", "n2").label("n1", "zone", "a").label("n2", "zone", "a");
    web.asking(task -> task.getPlacementBuilder().addConstraints("node.labels.zone==a")).replicas(1).runningOn("n1");
    String moved = web.current(1).getId();
    assertThat(web.label("n1", "zone", "b").tasks()).containsExactly("1 shutdown rejected n1", "1 ready new");
    assertThat(web.bench().state().value(Rows.INTENT.key(moved)).getRejected()).isEqualTo("assigned node no longer meets constraints");
    assertThat(web.stopped().live()).containsExactly("1 running new");
  }

  @Test
  void ofAPausedNodeNobodyAsksWhetherItStillMeetsTheConstraints() {
    Scene web = Scene.on("n1").label("n1", "zone", "a");
    web.asking(task -> task.getPlacementBuilder().addConstraints("node.labels.zone==a")).replicas(1).running();
    assertThat(web.availability("n1", "pause").label("n1", "zone", "b").tasks()).containsExactly("1 running running n1");
    assertThat(web.availability("n1", "active").tasks()).containsExactly("1 shutdown rejected n1", "1 ready new");
  }
}
