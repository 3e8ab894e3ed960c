package dev.skep.orchestrator.core;

import static dev.skep.state.v1.TaskState.TASK_COMPLETE;
import static dev.skep.state.v1.TaskState.TASK_FAILED;
import static dev.skep.state.v1.TaskState.TASK_REJECTED;
import static dev.skep.state.v1.TaskState.TASK_RUNNING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.Rows;
import dev.skep.state.v1.RolloutRow;
import dev.skep.testkit.gen.Specs;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a changed template reaches the tasks. */
final class UpdateTest {
  private static Scene three() {
    return Scene.on("n1", "n2", "n3").replicas(3).running();
  }

  @Test
  void byDefaultOneSlotAfterTheOtherIsStoppedAndThenStarted() {
    Scene web = three().image("image:2");
    assertThat(web.tasks())
        .containsExactly("1 shutdown running n1", "1 ready new", "2 running running n2", "3 running running n3");
    assertThat(web.running().live()).as("it is prepared, not started").contains("1 ready assigned n1");
    assertThat(web.stopped().live()).containsExactly("1 running assigned n1", "2 running running n2", "3 running running n3");
    assertThat(web.running().live()).as("it runs: the next").containsExactly("1 running running n1", "2 ready new", "3 running running n3");
    assertThat(web.stopped().running().live()).containsExactly("1 running running n1", "2 running running n2", "3 ready new");
    assertThat(web.stopped().running().live()).containsExactly("1 running running n1", "2 running running n2", "3 running running n3");
    assertThat(web.tasks()).hasSize(6);
  }

  @Test
  void afterTheLastOneItIsWatchedForFiveSeconds() {
    Scene web = Scene.on("n1").replicas(1).running().image("image:2");
    assertThat(web.update()).isEqualTo("updating");
    assertThat(web.stopped().running().update()).isEqualTo("updating");
    assertThat(web.bench().wakeAt()).contains(web.bench().now().plusSeconds(5));
    assertThat(web.seconds(4.9).update()).isEqualTo("updating");
    assertThat(web.seconds(0.1).update()).isEqualTo("completed");
    RolloutRow row = web.bench().state().value(Rows.ROLLOUT.key(Scene.WEB));
    assertThat(row.getMessage()).isEqualTo("update completed");
    assertThat(row.getGeneration()).isEqualTo(2);
    assertThat(row.hasCompletedAt()).isTrue();
  }

  @Test
  void whatIsPostedUnchangedChangesNothing() {
    Scene web = three();
    long generation = web.bench().state().value(Rows.SERVICE.key(Scene.WEB)).getGeneration();
    long revision = web.bench().state().revision();
    web.post();
    assertThat(web.bench().state().value(Rows.SERVICE.key(Scene.WEB)).getGeneration()).isEqualTo(generation + 1);
    assertThat(web.bench().state().revision()).as("nothing but the user's own row").isEqualTo(revision + 1);
    assertThat(web.update()).isEmpty();
  }

  @Test
  void aReplicaMoreIsNoUpdate() {
    assertThat(three().replicas(4).update()).isEmpty();
  }

  @Test
  void aNewTemplateNumberForTheSameContentRestartsNothing() {
    Scene web = three().image("image:2").image("image:1");
    web.stopped().running().seconds(5);
    assertThat(web.current(2).getTemplate()).isEqualTo(3);
    assertThat(web.tasks()).contains("2 running running n2", "3 running running n3").noneMatch(line -> line.startsWith("2 shutdown"));
  }

  @Test
  void norDoesItMakeOneAnewThatIsNotPlacedYet() {
    Scene web = Scene.on("n1").replicas(2).placed(1, "n1");
    String second = web.current(2).getId();
    web.image("image:2").image("image:1");
    assertThat(web.current(2).getId()).isEqualTo(second);
    assertThat(web.current(2).getTemplate()).isEqualTo(3);
  }

  @Test
  void aConstraintThatTheNodeMeetsAnywayRestartsNothing() {
    Scene web = Scene.on("n1", "n2").label("n1", "zone", "a").replicas(2).running();
    web.asking(task -> task.getPlacementBuilder().addConstraints("node.labels.zone==a")).post();
    assertThat(web.tasks()).containsExactly("1 running running n1", "2 shutdown running n2", "2 ready new");
    assertThat(web.current(1).getTemplate()).isEqualTo(2);
  }

  @Test
  void aForcedUpdateReplacesThem() {
    assertThat(three().asking(task -> task.setForceUpdate(1)).post().live()).contains("1 ready new");
  }

  @Test
  void asManyAtATimeAsTheServiceSays() {
    Scene web = Scene.on("n1", "n2", "n3").updating(update -> update.setParallelism(2)).replicas(3).running().image("image:2");
    assertThat(web.live()).containsExactly("1 ready new", "2 ready new", "3 running running n3");
  }

  @Test
  void zeroMeansAllAtOnce() {
    Scene web = Scene.on("n1", "n2", "n3").updating(update -> update.setParallelism(0)).replicas(3).running().image("image:2");
    assertThat(web.live()).containsExactly("1 ready new", "2 ready new", "3 ready new");
  }

  @Test
  void betweenTwoItRestsForTheDelay() {
    Scene web = Scene.on("n1", "n2").updating(update -> update.setDelay(Duration.ofSeconds(10).toNanos())).replicas(2).running();
    web.image("image:2").stopped().running();
    assertThat(web.live()).containsExactly("1 running running n1", "2 running running n2");
    assertThat(web.bench().wakeAt()).contains(web.bench().now().plusSeconds(10));
    assertThat(web.seconds(10).live()).containsExactly("1 running running n1", "2 ready new");
  }

  /** The dispatcher that took the report down had a clock that ran ahead for a while. */
  @ParameterizedTest
  @ValueSource(ints = {0, 10})
  void aReportFromAnHourAheadHoldsNothingUp(int delay) {
    Scene web = Scene.on("n1", "n2").updating(update -> update.setDelay(Duration.ofSeconds(delay).toNanos())).replicas(2).running();
    web.image("image:2").stopped().placed(1, "n1");
    Specs.status(web.bench().cluster(), web.current(1).getId(), TASK_RUNNING, web.bench().now().plus(Duration.ofHours(1)));
    assertThat(web.seconds(0).live()).containsExactly("1 running running n1", "2 ready new");
  }

  @Test
  void startFirstKeepsTheOldOneUntilTheNewOneRuns() {
    Scene web = Scene.on("n1", "n2").updating(update -> update.setOrder("start-first")).replicas(2).running().image("image:2");
    assertThat(web.tasks()).containsExactly("1 running running n1", "1 running new", "2 running running n2");
    assertThat(web.runningOn("n2", "n1").tasks())
        .containsExactly("1 shutdown running n1", "1 running running n2", "2 running running n2", "2 running new");
  }

  @Test
  void startFirstKeepsTheOldOneWhenTheNewOneFails() {
    Scene web = Scene.on("n1", "n2").updating(update -> update.setOrder("start-first")).replicas(1).running().image("image:2");
    web.placed(1, "n2").reports(1, TASK_REJECTED);
    assertThat(web.live()).contains("1 running running n1");
    assertThat(web.update()).isEqualTo("paused");
  }

  @Test
  void aTaskOfTheUpdateThatFailsPausesIt() {
    Scene web = three().image("image:2").stopped();
    String failed = web.current(1).getId();
    web.reports(1, TASK_FAILED);
    assertThat(web.update()).isEqualTo("paused");
    assertThat(web.bench().state().value(Rows.ROLLOUT.key(Scene.WEB)).getMessage())
        .isEqualTo("update paused due to failure or early termination of task " + failed);
    assertThat(web.seconds(5).running().seconds(1000).live())
        .as("its slot is restarted, the others are left alone")
        .containsExactly("1 running running n1", "2 running running n2", "3 running running n3");
    assertThat(web.current(2).getTemplate()).isEqualTo(1);
  }

  @Test
  void oneThatCompletesAtOnceFailsItToo() {
    assertThat(three().image("image:2").stopped().running().reports(1, TASK_COMPLETE).update()).isEqualTo("paused");
  }

  @Test
  void afterItsWatchAFailureIsNoFailureOfTheUpdate() {
    Scene web = Scene.on("n1").replicas(1).running().image("image:2").stopped().running().seconds(5).reports(1, TASK_FAILED);
    assertThat(web.update()).isEqualTo("completed");
  }

  @Test
  void aTaskOfTheOldTemplateThatFailsInTheMeantimeIsNoFailureOfTheUpdate() {
    assertThat(three().image("image:2").reports(3, TASK_FAILED).update()).isEqualTo("updating");
  }

  @Test
  void aPausedOneGoesOnWithTheNextRequest() {
    Scene web = three().image("image:2").stopped().reports(1, TASK_FAILED);
    assertThat(web.update()).isEqualTo("paused");
    web.image("image:3");
    assertThat(web.update()).isEqualTo("updating");
    for (int i = 0; i < 3; i++) {
      web.stopped().running();
    }
    assertThat(web.seconds(5).update()).isEqualTo("completed");
    assertThat(web.live()).containsExactly("1 running running n1", "2 running running n2", "3 running running n3");
    assertThat(web.current(3).getTemplate()).isEqualTo(3);
  }

  @Test
  void continueGoesOnWhateverFails() {
    Scene web = Scene.on("n1", "n2").updating(update -> update.setFailureAction("continue")).replicas(2).running().image("image:2");
    web.stopped().reports(1, TASK_REJECTED);
    assertThat(web.update()).isEqualTo("updating");
    assertThat(web.stopped().seconds(5).running().live()).contains("2 running running n2");
  }

  @Test
  void failuresUpToTheRatioAreBorne() {
    Scene web = Scene.on("n1", "n2", "n3").updating(update -> update.setMaxFailureRatio(0.4F)).replicas(3).running().image("image:2");
    assertThat(web.stopped().reports(1, TASK_REJECTED).update()).isEqualTo("updating");
    assertThat(web.stopped().reports(2, TASK_REJECTED).update()).isEqualTo("paused");
  }

  @Test
  void anUpdateDuringAnUpdateGoesStraightToTheNewest() {
    Scene web = three().image("image:2").stopped().running().image("image:3");
    assertThat(web.live()).hasSize(3);
    for (int i = 0; i < 4; i++) {
      web.stopped().running();
    }
    assertThat(web.seconds(5).update()).isEqualTo("completed");
    for (long slot = 1; slot <= 3; slot++) {
      assertThat(web.current(slot).getTemplate()).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 6})
  void scalingDuringAnUpdateMakesOnlyNewTasks(long replicas) {
    Scene web = three().image("image:2").replicas(replicas);
    for (int i = 0; i < 8; i++) {
      web.stopped().running();
    }
    assertThat(web.seconds(5).live()).hasSize((int) replicas).allMatch(line -> line.contains("running running"));
    for (String line : web.live()) {
      assertThat(web.current(line.substring(0, 1)).getTemplate()).isEqualTo(2);
    }
  }

  @Test
  void itWaitsForATaskThatNoNodeSuits() {
    Scene web = three().image("image:2").stopped().seconds(3600);
    assertThat(web.live()).containsExactly("1 running new", "2 running running n2", "3 running running n3");
    assertThat(web.update()).isEqualTo("updating");
  }
}
