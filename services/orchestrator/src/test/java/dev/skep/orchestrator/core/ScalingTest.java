package dev.skep.orchestrator.core;

import static dev.skep.state.v1.TaskState.TASK_COMPLETE;
import static dev.skep.state.v1.TaskState.TASK_RUNNING;
import static dev.skep.state.v1.TaskState.TASK_STARTING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.ServiceMode;
import dev.skep.state.Rows;
import dev.skep.testkit.gen.Specs;
import org.junit.jupiter.api.Test;

/** How many tasks a replicated service has, and which of them go first. */
final class ScalingTest {
  @Test
  void slotsAreNumberedFromOne() {
    assertThat(Scene.on("n1").replicas(3).tasks()).containsExactly("1 running new", "2 running new", "3 running new");
  }

  @Test
  void aReplicaMoreTouchesNoneOfThoseThatAreThere() {
    Scene web = Scene.on("n1", "n2").replicas(2).running();
    String first = web.current(1).getId();
    assertThat(web.replicas(3).tasks()).containsExactly("1 running running n1", "2 running running n2", "3 running new");
    assertThat(web.current(1).getId()).isEqualTo(first);
  }

  @Test
  void aFreeSlotIsFilledBeforeANewOneIsOpened() {
    Scene web = Scene.on("n1", "n2", "n3").replicas(3).runningOn("n1", "n1", "n2").replicas(2).stopped();
    assertThat(web.live()).containsExactly("1 running running n1", "3 running running n2");
    assertThat(web.replicas(4).live()).containsExactly("1 running running n1", "2 running new", "3 running running n2", "4 running new");
  }

  @Test
  void theMostCrowdedNodeLosesItsTasksFirst() {
    Scene web = Scene.on("n1", "n2").replicas(5).runningOn("n1", "n1", "n1", "n2", "n2").replicas(3);
    assertThat(web.live()).containsExactly("1 running running n1", "2 running running n1", "4 running running n2");
  }

  @Test
  void atEqualCrowdsTheHighSlotsGo() {
    Scene web = Scene.on("n1", "n2", "n3", "n4").replicas(4).running().replicas(2);
    assertThat(web.live()).containsExactly("1 running running n1", "2 running running n2");
  }

  @Test
  void slotTenIsHigherThanSlotNine() {
    Scene web = Scene.on("n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9", "n10").replicas(10).running().replicas(9);
    assertThat(web.live()).hasSize(9).noneMatch(line -> line.startsWith("10 "));
  }

  @Test
  void whatDoesNotRunGoesBeforeWhatRuns() {
    Scene web = Scene.on("n1", "n2", "n3").replicas(3);
    web.placed(1, "n1").reports(1, TASK_STARTING).reports(2, TASK_STARTING);
    web.placed(3, "n3").reports(3, TASK_RUNNING).replicas(1);
    assertThat(web.live()).containsExactly("3 running running n3");
  }

  @Test
  void whatIsNotPlacedGoesBeforeEverythingElse() {
    Scene web = Scene.on("n1").replicas(2).placed(2, "n1").replicas(1);
    assertThat(web.tasks()).containsExactly("2 running assigned n1");
  }

  @Test
  void whatHasAnotherTaskBesideItGoesBeforeWhatStandsAlone() {
    Scene web = Scene.on("n1", "n2").updating(update -> update.setOrder("start-first")).replicas(2).running().image("image:2");
    assertThat(web.live()).containsExactly("1 running running n1", "1 running new", "2 running running n2");
    assertThat(web.replicas(1).live()).as("and the update goes on").containsExactly("2 running running n2", "2 running new");
  }

  @Test
  void scaledDownMeansRemoveAndIsForgottenWhenStopped() {
    Scene web = Scene.on("n1", "n2").replicas(2).running().replicas(1);
    assertThat(web.tasks()).containsExactly("1 running running n1", "2 remove running n2");
    assertThat(web.stopped().tasks()).containsExactly("1 running running n1");
  }

  @Test
  void theHistoryOfASlotGoesWithIt() {
    Scene web = Scene.on("n1", "n2").asking(task -> task.getRestartPolicyBuilder().setDelay(0)).replicas(2).running();
    web.reports(2, TASK_COMPLETE).running();
    assertThat(web.tasks()).containsExactly("1 running running n1", "2 shutdown complete n2", "2 running running n2");
    assertThat(web.replicas(1).tasks()).containsExactly("1 running running n1", "2 remove running n2");
  }

  @Test
  void toZeroAndBack() {
    Scene web = Scene.on("n1").replicas(2).running().replicas(0);
    assertThat(web.tasks()).containsExactly("1 remove running n1", "2 remove running n1");
    assertThat(web.replicas(1).tasks()).containsExactly("1 remove running n1", "1 running new", "2 remove running n1");
  }

  @Test
  void aThousandReplicasComeInChangeSetsOfBoundedSize() {
    assertThat(Scene.on("n1").replicas(1000).tasks()).hasSize(1000).contains("1000 running new");
  }

  @Test
  void theServicesNameStaysReadableAtTheTask() {
    assertThat(Scene.on("n1").replicas(1).current(1).getServiceName()).isEqualTo("svc-web");
  }

  @Test
  void jobsAreNeitherMadeNorTouched() {
    Scene web = Scene.on("n1");
    var mode = ServiceMode.newBuilder();
    mode.getReplicatedJobBuilder().setTotalCompletions(3);
    Specs.service(
        web.bench().cluster(), Scene.WEB, mode.build(), Specs.task("image"), EndpointSpec.getDefaultInstance());
    assertThat(web.bench().settle()).isZero();
  }

  @Test
  void aServiceWithoutItsTemplateIsQuarantinedAndTheOthersGoOn() {
    Scene web = Scene.on("n1").replicas(1);
    web.bench().cluster().delete(Rows.template(Scene.WEB, 1));
    Specs.service(
        web.bench().cluster(), "other", Specs.replicated(1), Specs.task("image"),
        EndpointSpec.getDefaultInstance());
    web.bench().settle();
    assertThat(web.bench().quarantined()).containsOnlyKeys("web");
    assertThat(web.bench().quarantined().get("web")).contains("template 1, which is not stored");
    assertThat(web.bench().state().tasksOfService("other")).hasSize(1);
  }
}
