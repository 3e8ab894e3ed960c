package dev.skep.dispatcher.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.core.StatusRules;
import dev.skep.state.Rows;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.TestHost;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Writes against a store that fails, answers late and changes underneath. */
class CommitterTest {
  private static final SessionKey SESSION = new SessionKey("n1", "s");
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private TestHost host;
  private FaultyStore store;
  private Cluster cluster;
  private Committer committer;

  @BeforeEach
  void start() {
    host = TestHost.start();
    cluster = new Cluster(host).init("n1");
    cluster.place("t", "n1");
    openSession();
    store = new FaultyStore(host.store());
    committer = new Committer(store, host.view(), DispatcherConfig.defaults());
    host.blocking("commits", committer::run);
  }

  @AfterEach
  void stop() {
    committer.stop();
    host.close();
  }

  private void openSession() {
    host.put(Rows.SESSION.key("n1"), SessionRow.newBuilder().setNodeId("n1").setSessionId("s").build());
  }

  private CompletableFuture<Long> report(String task, TaskState... states) {
    List<TaskStatusRow> updates = new ArrayList<>();
    for (TaskState state : states) {
      updates.add(TaskStatusRow.newBuilder().setTaskId(task).setState(state).build());
    }
    return report(updates);
  }

  private CompletableFuture<Long> report(List<TaskStatusRow> updates) {
    return committer.submit(Proposal.of(state ->
        switch (StatusRules.judge(state, SESSION, updates, host.clock().instant())) {
          case StatusRules.Verdict.Accepted accepted -> new Proposal.Plan.Write(accepted.changes());
          case StatusRules.Verdict.Denied _ -> new Proposal.Plan.Refuse(Status.PERMISSION_DENIED);
          case StatusRules.Verdict.SessionOver _ -> new Proposal.Plan.Refuse(Sessions.OVER);
        }));
  }

  private void lands(CompletableFuture<Long> report) throws Exception {
    report.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private static void fails(CompletableFuture<Long> report, String code) {
    assertThatThrownBy(() -> report.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).hasMessageContaining(code);
  }

  private TaskState observed(String task) {
    return host.view().fresh(PATIENCE).value(Rows.STATUS.key(task)).getState();
  }

  @Test
  void aStoreThatDoesNotAnswerIsUnavailableAndComesBack() throws Exception {
    store.fail();
    fails(report("t", TaskState.TASK_ACCEPTED), "UNAVAILABLE");
    lands(report("t", TaskState.TASK_RUNNING));
    assertThat(observed("t")).isEqualTo(TaskState.TASK_RUNNING);
  }

  @Test
  void aLostAnswerIsRepeatedWithoutHarm() throws Exception {
    store.loseAnswer();
    fails(report("t", TaskState.TASK_STARTING), "UNAVAILABLE");
    lands(report("t", TaskState.TASK_STARTING, TaskState.TASK_RUNNING));
    assertThat(observed("t")).isEqualTo(TaskState.TASK_RUNNING);
  }

  @Test
  void aCommitThatLandsLateMeetsItsGuards() throws Exception {
    Runnable late = store.delay();
    fails(report("t", TaskState.TASK_STARTING), "UNAVAILABLE");
    lands(report("t", TaskState.TASK_RUNNING));
    late.run();
    assertThat(observed("t")).isEqualTo(TaskState.TASK_RUNNING);
  }

  @Test
  void aConflictIsPlannedAgain() throws Exception {
    // The same session is written again: its row has another revision, and the guard does not hold any more.
    store.interfere(this::openSession);
    lands(report("t", TaskState.TASK_RUNNING));
    assertThat(observed("t")).isEqualTo(TaskState.TASK_RUNNING);
  }

  @Test
  void aSessionThatWasReplacedWritesNothing() {
    store.interfere(() -> host.put(Rows.SESSION.key("n1"), SessionRow.newBuilder().setSessionId("newer").build()));
    fails(report("t", TaskState.TASK_RUNNING), "UNAUTHENTICATED");
    assertThat(host.view().fresh(PATIENCE).has(Rows.STATUS.key("t"))).isFalse();
  }

  @Test
  void aTaskThatVanishesHoldsUpNobodyElse() throws Exception {
    cluster.place("u", "n1");
    store.interfere(() -> host.delete(Rows.INTENT.key("t")));
    CompletableFuture<Long> gone = report("t", TaskState.TASK_RUNNING);
    lands(report("u", TaskState.TASK_RUNNING));
    lands(gone);
    assertThat(observed("u")).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(host.view().fresh(PATIENCE).has(Rows.STATUS.key("t"))).isFalse();
  }

  @Test
  void aReportLargerThanATransactionLandsInParts() throws Exception {
    List<TaskStatusRow> updates = new ArrayList<>();
    for (int i = 0; i < 150; i++) {
      cluster.place("many" + i, "n1");
      updates.add(TaskStatusRow.newBuilder().setTaskId("many" + i).setState(TaskState.TASK_RUNNING).build());
    }
    store.interfere(() -> {}); // the first part lands
    store.interfere(this::openSession); // the second meets a conflict, and what is left is planned again
    lands(report(updates));
    for (TaskStatusRow update : updates) {
      assertThat(observed(update.getTaskId())).isEqualTo(TaskState.TASK_RUNNING);
    }
  }
}
