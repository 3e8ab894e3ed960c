package dev.skep.dispatcher.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CredentialsTest {
  @TempDir Path folder;
  private ClusterState state;
  private Credentials credentials;

  @BeforeEach
  void seal() throws IOException {
    SecureRandom random = new SecureRandom();
    var key = SealedRows.registryAuth("service1");
    byte[] row = ClusterKey.create(folder, random).seal(key, "who:secret".getBytes(StandardCharsets.UTF_8), random).toByteArray();
    state = ClusterState.empty().apply(5, List.of(new ClusterState.Stored(key.path(), row, 5, 5))).state();
    credentials = new Credentials(() -> folder);
  }

  private TaskAssignment filled(TaskAssignment.Builder task) {
    return credentials.into(AssignmentsMessage.newBuilder().addPutTasks(task).build(), state).getPutTasks(0);
  }

  private static TaskAssignment.Builder task(TaskState desired) {
    return TaskAssignment.newBuilder().setId("task1").setServiceId("service1").setDesired(desired);
  }

  @Test
  void goWithATaskThatHasToPull() {
    assertThat(filled(task(TaskState.TASK_RUNNING)).getRegistryAuth()).isEqualTo("who:secret");
    assertThat(filled(task(TaskState.TASK_READY)).getRegistryAuth()).isEqualTo("who:secret");
  }

  @Test
  void stayWhereTheyAreOnceTheImageIsThere() {
    assertThat(filled(task(TaskState.TASK_SHUTDOWN)).getRegistryAuth()).isEmpty();
    assertThat(filled(task(TaskState.TASK_RUNNING).setLastStatus(TaskStatusRow.newBuilder().setState(TaskState.TASK_RUNNING))).getRegistryAuth()).isEmpty();
    assertThat(filled(task(TaskState.TASK_RUNNING).setServiceId("service2")).getRegistryAuth()).isEmpty();
  }

  @Test
  void aLostKeyCostsTheCredentialsAndNotTheTask() throws IOException {
    ClusterKey.erase(folder);
    assertThat(filled(task(TaskState.TASK_RUNNING)).getId()).isEqualTo("task1");
    assertThat(filled(task(TaskState.TASK_RUNNING)).getRegistryAuth()).isEmpty();
  }
}
