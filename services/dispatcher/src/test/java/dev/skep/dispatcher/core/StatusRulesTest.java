package dev.skep.dispatcher.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.ChangeSet;
import dev.skep.state.Guard;
import dev.skep.state.Rows;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatusRulesTest {
  private static final Instant NOW = Instant.ofEpochSecond(77);
  private static final SessionKey SESSION = new SessionKey("n1", "s");
  private Walk walk;

  @BeforeEach
  void cluster() {
    walk = new Walk(1, 1, 1, 1, 1);
    LivenessTest.node(walk, "n1");
    walk.put(Rows.SESSION.key("n1"), SessionRow.newBuilder().setNodeId("n1").setSessionId("s").build());
    LivenessTest.runs(walk, "mine", "web", "n1");
    LivenessTest.runs(walk, "theirs", "web", "n2");
  }

  private static TaskStatusRow says(String task, TaskState state) {
    return TaskStatusRow.newBuilder().setTaskId(task).setState(state).build();
  }

  private List<ChangeSet> accepted(TaskStatusRow... updates) {
    return ((StatusRules.Verdict.Accepted) StatusRules.judge(walk.state(), SESSION, List.of(updates), NOW)).changes();
  }

  @ParameterizedTest
  @CsvSource({
    "TASK_STARTING, TASK_RUNNING, true",
    "TASK_RUNNING, TASK_STARTING, false",
    "TASK_RUNNING, TASK_RUNNING, false",
    "TASK_RUNNING, TASK_FAILED, true",
    "TASK_FAILED, TASK_RUNNING, false",
    "TASK_FAILED, TASK_COMPLETE, false",
    "TASK_ACCEPTED, TASK_REJECTED, true",
    "TASK_RUNNING, TASK_ORPHANED, false", // not an agent's to say
    "TASK_RUNNING, TASK_REMOVE, false",
    "TASK_ORPHANED, TASK_SHUTDOWN, false"
  })
  void statesOnlyGrow(TaskState before, TaskState reported, boolean lands) {
    walk.put(Rows.STATUS.key("mine"), says("mine", before));
    assertThat(accepted(says("mine", reported))).hasSize(lands ? 1 : 0);
  }

  @Test
  void theSameStateAgainCountsWhenItSaysMore() {
    assertThat(accepted(says("mine", TaskState.TASK_RUNNING).toBuilder().setMessage("started").build())).hasSize(1);
  }

  @Test
  void aReportIsWrittenWithItsGuards() {
    ChangeSet change = accepted(says("mine", TaskState.TASK_FAILED), says("mine", TaskState.TASK_RUNNING)).getFirst();
    walk.apply(change);
    TaskStatusRow row = walk.state().value(Rows.STATUS.key("mine"));
    assertThat(row.getState()).isEqualTo(TaskState.TASK_FAILED);
    assertThat(row.getNodeId()).isEqualTo("n1");
    assertThat(Stamp.at(row.getAppliedAt())).isEqualTo(NOW);
    assertThat(change.guards()).contains(new Guard.Present(Rows.INTENT.key("mine")));
    assertThat(change.guards().stream().map(Guard::key)).contains(Rows.SESSION.key("n1"), Rows.STATUS.key("mine"));
  }

  @Test
  void whatIsNotTheNodesOwn() {
    assertThat(accepted(says("gone", TaskState.TASK_RUNNING))).isEmpty();
    List<TaskStatusRow> both = List.of(says("mine", TaskState.TASK_FAILED), says("theirs", TaskState.TASK_FAILED));
    assertThat(StatusRules.judge(walk.state(), SESSION, both, NOW)).isEqualTo(new StatusRules.Verdict.Denied("theirs"));
    assertThat(StatusRules.judge(walk.state(), new SessionKey("n1", "older"), List.of(), NOW))
        .isEqualTo(new StatusRules.Verdict.SessionOver());
  }

  /** In a store that was restored from an older copy the task waits for a node, and a node runs it already. */
  @Test
  void aTaskThatNobodyWasGivenYetIsNoReasonToRefuseTheRest() {
    LivenessTest.runs(walk, "waiting", "web", "");
    assertThat(accepted(says("waiting", TaskState.TASK_FAILED), says("mine", TaskState.TASK_FAILED))).hasSize(1);
  }
}
