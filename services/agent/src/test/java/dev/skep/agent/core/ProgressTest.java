package dev.skep.agent.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final TaskStatusRow ENDED = TaskStatusRow.newBuilder().setState(TaskState.TASK_SHUTDOWN).build();

  @Test
  void aClusterThatHandsOutATaskWithoutItsStatusHasForgottenIt() {
    TaskAssignment bare = TaskAssignment.newBuilder().setId("t").build();
    assertThat(Progress.of(ENDED).newTo(bare)).isTrue();
    assertThat(Progress.of(ENDED).newTo(bare.toBuilder().setLastStatus(ENDED).build())).isFalse();
    assertThat(Progress.fresh().newTo(bare)).as("nothing has become of it").isFalse();
  }
}
