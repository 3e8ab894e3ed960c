package dev.skep.scheduler.core;

import static dev.skep.state.v1.TaskState.TASK_COMPLETE;
import static dev.skep.state.v1.TaskState.TASK_FAILED;
import static dev.skep.state.v1.TaskState.TASK_REJECTED;
import static dev.skep.state.v1.TaskState.TASK_SHUTDOWN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.TaskSpec;
import dev.skep.state.v1.TaskState;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which of the nodes that suit a task is the best one. */
final class RankingTest {
  private static String[] tasks(String service, int from, int to) {
    return IntStream.rangeClosed(from, to).mapToObj(slot -> service + "." + slot).toArray(String[]::new);
  }

  @Test
  void theOneWithTheFewestTasksOfTheService() {
    Scene scene = Scene.on("n1", "n2", "n3").running("n1", "web.1", "web.2").running("n2", "web.3").running("n3", "web.4", "web.5");
    assertThat(scene.waiting("web.6").where("web.6")).isEqualTo("n2");
  }

  @Test
  void thoseOfOtherServicesCountOnlyBetweenEquals() {
    Scene scene = Scene.on("n1", "n2").running("n1", tasks("other", 1, 9));
    assertThat(scene.waiting("web.1").where("web.1")).as("none of the service on either, and n2 has fewer in all").isEqualTo("n2");
    assertThat(scene.waiting("web.2").where("web.2")).as("n1 has fewer of the service").isEqualTo("n1");
  }

  @Test
  void betweenEqualsTheLowerId() {
    assertThat(Scene.on("n2", "n1").waiting("web.1").where("web.1")).isEqualTo("n1");
  }

  @Test
  void manyTasksAtOnceAreSpreadEvenly() {
    Scene scene = Scene.on("n1", "n2", "n3").waiting(tasks("web", 1, 9));
    assertThat(IntStream.rangeClosed(1, 3).mapToLong(node -> scene.tasksOf("web", "n" + node))).containsExactly(3L, 3L, 3L);
  }

  @Test
  void newTasksFillUpTheEmptierNodes() {
    Scene scene = Scene.on("n1", "n2", "n3").running("n1", tasks("web", 1, 4)).waiting(tasks("web", 5, 9));
    assertThat(scene.tasksOf("web", "n1")).isEqualTo(4);
    assertThat(scene.tasksOf("web", "n2")).isEqualTo(3);
    assertThat(scene.tasksOf("web", "n3")).isEqualTo(2);
  }

  @Test
  void theOldestTaskIsServedFirst() {
    Scene scene = Scene.on("n1").service("web", task -> task.getPlacementBuilder().setMaxReplicas(1));
    assertThat(scene.waiting("web.9", "web.1").where("web.9", "web.1"))
        .containsExactly("n1", "no suitable node (max replicas per node limit exceed)");
  }

  @Test
  void whatIsToStopOrHasStoppedDoesNotCount() {
    Scene scene = Scene.on("n1", "n2").running("n1", "web.1", "web.2").running("n2", "web.3");
    scene.wants("web.1", TASK_SHUTDOWN).reports("web.2", TASK_COMPLETE).waiting("web.4");
    assertThat(scene.where("web.4")).isEqualTo("n1");
  }

  // ---- failures ----

  private static Scene failing(int times, TaskState end) {
    Scene scene = Scene.on("n1", "n2").running("n2", "web.100");
    for (String task : tasks("web", 1, times)) {
      scene.running("n1", task).reports(task, end);
    }
    return scene;
  }

  @Test
  void aNodeOnWhichTheTemplateFailedFiveTimesComesLast() {
    assertThat(failing(4, TASK_FAILED).waiting("web.101").where("web.101")).isEqualTo("n1");
    assertThat(failing(5, TASK_FAILED).waiting("web.101").where("web.101")).isEqualTo("n2");
    assertThat(failing(5, TASK_REJECTED).waiting("web.101").where("web.101")).isEqualTo("n2");
    assertThat(failing(5, TASK_COMPLETE).waiting("web.101").where("web.101")).isEqualTo("n1");
  }

  @Test
  void failuresAreForgottenAfterFiveMinutes() {
    Scene scene = failing(5, TASK_FAILED).pass(Duration.ofSeconds(299));
    assertThat(scene.waiting("web.101").where("web.101")).isEqualTo("n2");
    assertThat(scene.pass(Duration.ofSeconds(1)).waiting("web.102").where("web.102")).isEqualTo("n1");
  }

  @Test
  void anotherServiceIsNotHeldToThem() {
    Scene scene = failing(5, TASK_FAILED).running("n2", "other.1");
    assertThat(scene.waiting("other.2").where("other.2")).isEqualTo("n1");
  }

  @Test
  void norAnotherTemplateOfTheService() {
    Scene scene = failing(5, TASK_FAILED).service("web", task -> task.setForceUpdate(1));
    assertThat(scene.waiting("web.101").where("web.101")).isEqualTo("n1");
  }

  // ---- spread preferences ----

  private static Consumer<TaskSpec.Builder> spread(String... descriptors) {
    return task -> {
      for (String descriptor : descriptors) {
        task.getPlacementBuilder().addPreferencesBuilder().getSpreadBuilder().setSpreadDescriptor(descriptor);
      }
    };
  }

  @Test
  void zonesGetEqualSharesHoweverManyNodesTheyHave() {
    Scene scene = Scene.on("a1", "a2", "a3", "b1").label("b1", "zone", "b");
    for (String node : new String[] {"a1", "a2", "a3"}) {
      scene.label(node, "zone", "a");
    }
    scene.service("web", spread("node.labels.zone")).waiting(tasks("web", 1, 6));
    assertThat(scene.tasksOf("web", "b1")).isEqualTo(3);
    assertThat(scene.tasksOf("web", "a1")).isEqualTo(1);
    assertThat(scene.tasksOf("web", "a3")).isEqualTo(1);
  }

  @Test
  void nodesWithoutTheLabelAreAShareOfTheirOwn() {
    Scene scene = Scene.on("a1", "x1", "x2").label("a1", "zone", "a");
    scene.service("web", spread("node.labels.zone")).waiting(tasks("web", 1, 4));
    assertThat(scene.tasksOf("web", "a1")).isEqualTo(2);
    assertThat(scene.tasksOf("web", "x1")).isEqualTo(1);
  }

  @Test
  void preferencesNest() {
    Scene scene = Scene.on("n1", "n2", "n3").label("n1", "zone", "a").label("n2", "zone", "a").label("n3", "zone", "b");
    scene.label("n1", "rack", "1").label("n2", "rack", "2").label("n3", "rack", "1");
    scene.service("web", spread("node.labels.zone", "node.labels.rack")).waiting(tasks("web", 1, 8));
    assertThat(scene.tasksOf("web", "n1")).isEqualTo(2);
    assertThat(scene.tasksOf("web", "n2")).isEqualTo(2);
    assertThat(scene.tasksOf("web", "n3")).isEqualTo(4);
  }

  @Test
  void engineLabelsServeAsWell() {
    Scene scene = Scene.on("n1", "n2", "n3");
    scene.reporting("n3", status -> status.getDescriptionBuilder().getEngineBuilder().putLabels("disk", "ssd"));
    scene.service("web", spread("engine.labels.disk")).waiting(tasks("web", 1, 4));
    assertThat(scene.tasksOf("web", "n3")).isEqualTo(2);
  }

  @Test
  void aFullZonesShareGoesToTheOthers() {
    Scene scene = Scene.on("a1", "b1").label("a1", "zone", "a").label("b1", "zone", "b");
    scene.service("web", task -> {
      spread("node.labels.zone").accept(task);
      task.getResourcesBuilder().getReservationsBuilder().setMemoryBytes(1L << 30);
    });
    scene.service("big", task -> task.getResourcesBuilder().getReservationsBuilder().setMemoryBytes(7L << 30));
    scene.running("a1", "big.1").waiting(tasks("web", 1, 6));
    assertThat(scene.tasksOf("web", "a1")).isEqualTo(1);
    assertThat(scene.tasksOf("web", "b1")).isEqualTo(5);
  }

  @Test
  void theyComeAfterTheFilters() {
    Scene scene = Scene.on("a1", "b1").label("a1", "zone", "a").label("b1", "zone", "b").nodeIs("b1", "down");
    scene.service("web", spread("node.labels.zone")).waiting("web.1", "web.2");
    assertThat(scene.where("web.1", "web.2")).containsExactly("a1", "a1");
  }
}
