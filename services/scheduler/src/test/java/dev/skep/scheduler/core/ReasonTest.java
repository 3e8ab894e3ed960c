package dev.skep.scheduler.core;

import static dev.skep.state.v1.TaskState.TASK_RUNNING;
import static dev.skep.state.v1.TaskState.TASK_SHUTDOWN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.Rows;
import org.junit.jupiter.api.Test;

/** What is said about a task that no node suits, and when it is tried again. */
final class ReasonTest {
  private static Scene picky(String... nodes) {
    return Scene.on(nodes).service("web", task -> task.getPlacementBuilder().addConstraints("node.labels.zone==a"));
  }

  @Test
  void theNumberOfNodesIsInTheWords() {
    assertThat(picky("n1").waiting("web.1").where("web.1"))
        .isEqualTo("no suitable node (scheduling constraints not satisfied on 1 node)");
    assertThat(picky("n1", "n2", "n3").waiting("web.1").where("web.1"))
        .isEqualTo("no suitable node (scheduling constraints not satisfied on 3 nodes)");
  }

  @Test
  void theCommonestReasonComesFirst() {
    Scene scene = picky("n1", "n2", "n3").nodeIs("n1", "down").waiting("web.1");
    assertThat(scene.where("web.1"))
        .isEqualTo("no suitable node (scheduling constraints not satisfied on 2 nodes; 1 node not available for new tasks)");
    scene.nodeIs("n2", "down");
    assertThat(scene.where("web.1"))
        .isEqualTo("no suitable node (2 nodes not available for new tasks; scheduling constraints not satisfied on 1 node)");
  }

  @Test
  void ofEachNodeOnlyTheFirstReasonCounts() {
    Scene scene = Scene.on("n1", "n2").nodeIs("n1", "down").service("web", task -> {
      task.getResourcesBuilder().getReservationsBuilder().setMemoryBytes(1L << 40);
      task.getPlacementBuilder().addConstraints("node.id==n9");
    });
    assertThat(scene.waiting("web.1").where("web.1"))
        .isEqualTo("no suitable node (1 node not available for new tasks; insufficient resources on 1 node)");
  }

  @Test
  void withoutNodesThereIsNothingToCount() {
    assertThat(Scene.on().waiting("web.1").where("web.1")).isEqualTo("no suitable node");
  }

  @Test
  void itIsTriedAgainWhenANodeChanges() {
    Scene scene = picky("n1").waiting("web.1");
    assertThat(scene.where("web.1")).startsWith("no suitable node");
    assertThat(scene.label("n1", "zone", "a").where("web.1")).isEqualTo("n1");
  }

  @Test
  void andWhenOneJoins() {
    Scene scene = Scene.on().waiting("web.1");
    assertThat(scene.where("web.1")).isEqualTo("no suitable node");
    assertThat(scene.nodeJoins("n1").where("web.1")).isEqualTo("n1");
  }

  @Test
  void theReasonIsWrittenAgainOnlyWhenItBecameAnotherOne() {
    Scene scene = picky("n1").waiting("web.1");
    scene.where("web.1");
    long written = scene.bench().state().row(Rows.PLACEMENT.key("web.1")).modRevision();
    scene.label("n1", "zone", "b").where("web.1");
    assertThat(scene.bench().state().row(Rows.PLACEMENT.key("web.1")).modRevision()).isEqualTo(written);
    scene.nodeJoins("n2").where("web.1");
    assertThat(scene.bench().state().row(Rows.PLACEMENT.key("web.1")).modRevision()).isGreaterThan(written);
  }

  @Test
  void aTaskWaitsForItsAddressesFirst() {
    Scene scene = Scene.on("n1").unaddressed("web.1");
    assertThat(scene.where("web.1")).isEmpty();
    assertThat(scene.addressRow("web.1", "no address left").where("web.1")).isEmpty();
    assertThat(scene.addressed("web.1").where("web.1")).isEqualTo("n1");
  }

  @Test
  void aTaskThatIsToStopIsNotPlacedAnyMore() {
    assertThat(Scene.on("n1").waiting("web.1").wants("web.1", TASK_SHUTDOWN).where("web.1")).isEmpty();
  }

  @Test
  void aTaskIsPlacedOnce() {
    Scene scene = Scene.on("n1").running("n1", "web.1").nodeIs("n1", "down").nodeJoins("n2");
    assertThat(scene.where("web.1")).isEqualTo("n1");
  }

  @Test
  void aPlacementGoesWithItsTask() {
    Scene scene = Scene.on("n1").running("n1", "web.1").waiting("other.1");
    assertThat(scene.where("other.1")).isEqualTo("n1");
    scene.forgotten("web.1");
    assertThat(scene.where("web.1", "other.1")).containsExactly("", "n1");
  }

  @Test
  void aTaskWhoseTemplateIsNotStoredQuarantinesItsServiceAlone() {
    Scene scene = Scene.on("n1").waiting("web.1", "other.1");
    scene.bench().cluster().delete(Rows.template("web", 1));
    assertThat(scene.where("web.1", "other.1")).containsExactly("", "n1");
    assertThat(scene.bench().quarantined()).containsEntry("web", "template 1 is not stored").hasSize(1);
  }

  @Test
  void noneOfARemovedServicesTasksIsPlaced() {
    Scene scene = Scene.on("n1").waiting("web.1");
    scene.bench().cluster().delete(Rows.SERVICE.key("web"));
    assertThat(scene.where("web.1")).isEmpty();
  }

  // ---- global services ----

  @Test
  void aGlobalTaskIsConfirmedOnTheNodeThatItIsFor() {
    assertThat(Scene.on("n1", "n2").given("agent.n2", "agent.n1").where("agent.n1", "agent.n2")).containsExactly("n1", "n2");
  }

  @Test
  void byTheSameFiltersAndWithWordsForThatNodeAlone() {
    Scene scene = Scene.on("n1", "n2").nodeIs("n2", "down");
    scene.service("agent", task -> task.getResourcesBuilder().getReservationsBuilder().setMemoryBytes(5L << 30));
    scene.running("n1", "agent.0").given("agent.n1", "agent.n2");
    assertThat(scene.where("agent.n1", "agent.n2"))
        .containsExactly(
            "no suitable node (insufficient resources on 1 node)", "no suitable node (1 node not available for new tasks)");
  }

  @Test
  void itIsServedBeforeThoseThatCouldGoElsewhere() {
    Scene scene = Scene.on("n1", "n2");
    for (String service : new String[] {"web", "agent"}) {
      scene.service(service, task -> task.getResourcesBuilder().getReservationsBuilder().setMemoryBytes(5L << 30));
    }
    assertThat(scene.waiting("web.1").given("agent.n1").where("web.1", "agent.n1")).containsExactly("n2", "n1");
  }

  @Test
  void oneWhoseNodeWasRemovedGetsNoReason() {
    assertThat(Scene.on("n1", "n2").given("agent.n1").nodeRemoved("n1").where("agent.n1")).isEmpty();
  }

  @Test
  void aWaitingOneIsConfirmedWhenItsNodeIsReady() {
    Scene scene = Scene.on("n1").nodeIs("n1", "down").given("agent.n1");
    assertThat(scene.where("agent.n1")).startsWith("no suitable node");
    assertThat(scene.nodeIs("n1", "ready").where("agent.n1")).isEqualTo("n1");
    assertThat(scene.reports("agent.n1", TASK_RUNNING).where("agent.n1")).isEqualTo("n1");
  }
}
