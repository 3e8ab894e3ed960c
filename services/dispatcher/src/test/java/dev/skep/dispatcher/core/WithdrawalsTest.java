package dev.skep.dispatcher.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WithdrawalsTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_000);
  private Walk walk;

  @BeforeEach
  void cluster() {
    walk = new Walk(1, 1, 1, 1, 1);
    LivenessTest.node(walk, "n1");
    walk.put(Rows.SERVICE.key("web"), ServiceRow.newBuilder().setId("web").build());
    LivenessTest.runs(walk, "t", "web", "n1");
  }

  private ClusterState.Step desire(TaskState desired) {
    TaskIntentRow intent = walk.state().value(Rows.INTENT.key("t"));
    return walk.put(Rows.INTENT.key("t"), intent.toBuilder().setDesired(desired).build());
  }

  private Withdrawals after(ClusterState.Step step) {
    return Withdrawals.NONE.moved(step.state(), step.changes(), NOW);
  }

  private static TaskState told(Withdrawals withdrawals) {
    return withdrawals.desired("t", TaskState.TASK_SHUTDOWN);
  }

  @Test
  void aServingTaskIsHeldUntilEveryNodeHasWithdrawnIt() {
    ClusterState.Step step = desire(TaskState.TASK_SHUTDOWN);
    Withdrawals held = after(step);
    long revision = step.state().revision();
    assertThat(told(held)).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(told(held.released(List.of(revision, revision - 1), NOW))).isEqualTo(TaskState.TASK_RUNNING);
    Withdrawals released = held.released(List.of(revision, revision + 5), NOW);
    assertThat(told(released)).isEqualTo(TaskState.TASK_SHUTDOWN);
    assertThat(released.changedFrom(held)).containsExactly("t");
  }

  @Test
  void noNodeHoldsItLongerThanTwoSeconds() {
    Withdrawals held = after(desire(TaskState.TASK_REMOVE));
    assertThat(held.due()).contains(NOW.plus(Withdrawals.LONGEST));
    assertThat(told(held.released(List.of(0L), NOW.plusMillis(1_999)))).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(told(held.released(List.of(0L), NOW.plusMillis(2_000)))).isEqualTo(TaskState.TASK_SHUTDOWN);
    assertThat(told(held.released(List.of(), NOW))).isEqualTo(TaskState.TASK_SHUTDOWN);
  }

  @Test
  void aClockThatIsSetBackHoldsNothingForLonger() {
    Withdrawals held = after(desire(TaskState.TASK_SHUTDOWN));
    assertThat(told(held.released(List.of(0L), NOW.minusMillis(100)))).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(told(held.released(List.of(0L), NOW.minusSeconds(3_600)))).isEqualTo(TaskState.TASK_SHUTDOWN);
  }

  @Test
  void whatDoesNotServeIsNotHeld() {
    walk.put(Rows.STATUS.key("t"), TaskStatusRow.newBuilder().setState(TaskState.TASK_STARTING).build());
    assertThat(after(desire(TaskState.TASK_SHUTDOWN)).held()).isEmpty();
    walk.put(Rows.STATUS.key("t"), TaskStatusRow.newBuilder().setState(TaskState.TASK_RUNNING).build());
    assertThat(after(desire(TaskState.TASK_REMOVE)).held()).isEmpty(); // it was SHUTDOWN before
    desire(TaskState.TASK_RUNNING);
    walk.put(Rows.ADDRESS.key("t"), TaskAddressRow.getDefaultInstance());
    assertThat(after(desire(TaskState.TASK_SHUTDOWN)).held()).isEmpty(); // in nobody's traffic
  }

  @Test
  void aRemovedServiceWaitsForNobody() {
    walk.apply(ChangeSet.about("web").delete(Rows.SERVICE.key("web")).build());
    assertThat(after(desire(TaskState.TASK_REMOVE)).held()).isEmpty();
  }

  @Test
  void aTaskThatEndsByItselfIsHeldNoLonger() {
    Withdrawals held = after(desire(TaskState.TASK_SHUTDOWN));
    ClusterState.Step ended = walk.put(Rows.STATUS.key("t"), TaskStatusRow.newBuilder().setState(TaskState.TASK_FAILED).build());
    assertThat(held.moved(ended.state(), ended.changes(), NOW).held()).isEmpty();
  }

  @Test
  void aDispatcherThatLostItsPastHoldsWhatMayStillServe() {
    desire(TaskState.TASK_SHUTDOWN);
    assertThat(told(Withdrawals.afterReset(walk.state(), NOW))).isEqualTo(TaskState.TASK_RUNNING);
    desire(TaskState.TASK_RUNNING);
    assertThat(Withdrawals.afterReset(walk.state(), NOW).held()).isEmpty();
  }

  /** Its node's label changed, so it has to go; until its node has stopped it, it runs and is in traffic. */
  @Test
  void aTaskThatTheOrchestratorGaveUpIsHeldAsLongAsItRuns() {
    TaskIntentRow intent = walk.state().value(Rows.INTENT.key("t"));
    TaskIntentRow givenUp = intent.toBuilder().setDesired(TaskState.TASK_SHUTDOWN).setRejected("assigned node no longer meets constraints").build();
    assertThat(told(after(walk.put(Rows.INTENT.key("t"), givenUp)))).isEqualTo(TaskState.TASK_RUNNING);
  }
}
