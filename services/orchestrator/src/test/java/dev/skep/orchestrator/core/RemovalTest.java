package dev.skep.orchestrator.core;

import static dev.skep.state.v1.TaskState.TASK_COMPLETE;
import static dev.skep.state.v1.TaskState.TASK_FAILED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.state.ChangeSet;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.IdSource;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.v1.PlacementRow;
import dev.skep.testkit.gen.Clusters;
import dev.skep.testkit.gen.Specs;
import dev.skep.testkit.gen.StateBuilder;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** When tasks are forgotten: those of a removed service, and those that history keeps no longer. */
final class RemovalTest {
  @Test
  void allTasksOfARemovedServiceAreOrderedAwayAndForgottenWhenTheyHaveStopped() {
    Scene web = Scene.on("n1", "n2").replicas(2).running().removed();
    assertThat(web.tasks()).containsExactly("1 remove running n1", "2 remove running n2");
    assertThat(web.stopped().tasks()).isEmpty();
  }

  @Test
  void oneAfterTheOther() {
    Scene web = Scene.on("n1", "n2").replicas(2).running();
    String first = web.current(1).getId();
    web.removed();
    Specs.status(web.bench().cluster(), first, TASK_COMPLETE, web.bench().now());
    assertThat(web.seconds(0).tasks()).containsExactly("2 remove running n2");
  }

  @Test
  void whatWasNeverPlacedGoesAtOnce() {
    assertThat(Scene.on("n1").replicas(3).placed(2, "n1").removed().tasks()).containsExactly("2 remove assigned n1");
  }

  @Test
  void whatHadStoppedBeforeGoesAtOnce() {
    Scene web = Scene.on("n1").asking(task -> task.getRestartPolicyBuilder().setDelay(0)).replicas(1).running();
    assertThat(web.reports(1, TASK_FAILED).running().removed().tasks()).containsExactly("1 remove running n1");
  }

  @Test
  void whatStandsOnANodeThatIsDownWaitsForItsNode() {
    Scene web = Scene.on("n1").replicas(1).running().nodeIs("n1", "down").removed();
    assertThat(web.tasks()).containsExactly("1 remove running n1");
    assertThat(web.nodeRemoved("n1").tasks()).isEmpty();
  }

  @Test
  void itsUpdateIsForgottenWithIt() {
    Scene web = Scene.on("n1").replicas(1).running().image("image:2");
    assertThat(web.update()).isEqualTo("updating");
    assertThat(web.removed().update()).isEmpty();
  }

  /** Decided, and not landed yet. */
  private static Decision decided(StateBuilder cluster) {
    Tick tick = new Tick(Clusters.START, new IdSource(new Random(1)));
    return new OrchestratorDecider().decide(cluster.state(), Delta.EVERYTHING, tick);
  }

  @Test
  void aTaskThatIsPlacedInTheSameMomentIsNotForgotten() {
    StateBuilder cluster = Scene.on("n1").replicas(1).bench().cluster();
    String task = cluster.state().rows(Rows.INTENT).iterator().next().key().lastPart();
    Specs.removeService(cluster, Scene.WEB);
    Decision decision = decided(cluster);
    cluster.put(Rows.PLACEMENT.key(task), PlacementRow.newBuilder().setTaskId(task).setNodeId("n1").build());
    ChangeSet forgets = decision.changes().getLast();
    assertThat(cluster.apply(forgets)).isFalse();
  }

  @Test
  void noTaskIsMadeForAServiceThatIsRemovedInTheSameMoment() {
    StateBuilder cluster = Scene.on("n1").bench().cluster();
    Specs.service(cluster, Scene.WEB, Specs.replicated(2), Specs.task("image"), EndpointSpec.getDefaultInstance());
    Decision decision = decided(cluster);
    Specs.removeService(cluster, Scene.WEB);
    assertThat(cluster.apply(decision)).isEqualTo(decision.changes().size()).isPositive();
  }

  // ---- history ----

  private static Scene failing(int times, Scene web) {
    for (int i = 0; i < times; i++) {
      web.reports(1, TASK_FAILED);
    }
    return web;
  }

  private static Scene eager() {
    return Scene.on("n1").asking(task -> task.getRestartPolicyBuilder().setDelay(0)).replicas(1);
  }

  @Test
  void fiveTasksOfASlotAreKeptTheCurrentOneIncluded() {
    Scene web = eager();
    String first = web.current(1).getId();
    assertThat(failing(4, web).tasks()).hasSize(5);
    assertThat(web.bench().state().has(Rows.INTENT.key(first))).isTrue();
    assertThat(failing(1, web).tasks()).hasSize(5).last().isEqualTo("1 running new");
    assertThat(web.bench().state().has(Rows.INTENT.key(first))).as("the oldest goes").isFalse();
  }

  @Test
  void eachSlotHasItsOwnHistory() {
    Scene web = eager().replicas(2);
    assertThat(failing(9, web).tasks()).hasSize(6).contains("2 running new");
  }

  @Test
  void theLimitIsTheClusters() {
    assertThat(failing(9, eager().history(2)).tasks()).containsExactly("1 shutdown failed n1", "1 running new");
    assertThat(failing(9, eager()).history(3).tasks()).as("also when it is lowered").hasSize(3);
  }

  @Test
  void zeroKeepsOnlyTheCurrentOne() {
    assertThat(failing(3, eager().history(0)).tasks()).containsExactly("1 running new");
  }

  @Test
  void lessThanZeroKeepsAll() {
    assertThat(failing(12, eager().history(-1)).tasks()).hasSize(13);
  }

  @Test
  void withMaxAttemptsThatAndOneAreKept() {
    Scene web = Scene.on("n1").history(1).asking(task -> task.getRestartPolicyBuilder().setDelay(0).setMaxAttempts(7)).replicas(1);
    assertThat(failing(8, web).tasks()).as("restarts are counted by looking at them").hasSize(8);
    assertThat(web.live()).isEmpty();
  }

  @Test
  void theLastTaskOfASlotIsNeverForgottenThoughItHasEnded() {
    Scene web = Scene.on("n1").history(0).asking(task -> task.getRestartPolicyBuilder().setCondition("none")).replicas(1);
    assertThat(web.reports(1, TASK_COMPLETE).tasks()).containsExactly("1 shutdown complete n1");
  }

  @Test
  void whatStillRunsIsNotForgottenHoweverOld() {
    Scene web = Scene.on("n1", "n2").history(1).replicas(1).runningOn("n1").availability("n1", "drain");
    assertThat(web.tasks()).containsExactly("1 shutdown running n1", "1 ready new");
    assertThat(web.stopped().tasks()).containsExactly("1 running new");
  }
}
