package dev.skep.orchestrator.core;

import static dev.skep.state.v1.TaskState.TASK_COMPLETE;
import static dev.skep.state.v1.TaskState.TASK_FAILED;
import static dev.skep.state.v1.TaskState.TASK_PREPARING;
import static dev.skep.state.v1.TaskState.TASK_REJECTED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.RestartPolicy;
import dev.skep.state.Rows;
import dev.skep.state.Times;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What follows when a task ends by itself. */
final class RestartTest {
  private static Scene running(Consumer<RestartPolicy.Builder> policy) {
    return Scene.on("n1").asking(task -> policy.accept(task.getRestartPolicyBuilder())).replicas(1).running();
  }

  @ParameterizedTest
  @CsvSource({
    "'',         COMPLETE, true", // nothing asked means any
    "any,        COMPLETE, true",
    "any,        SHUTDOWN, true",
    "any,        FAILED,   true",
    "any,        REJECTED, true",
    "on-failure, COMPLETE, false",
    "on-failure, FAILED,   true",
    "on-failure, REJECTED, true",
    "on-failure, SHUTDOWN, true", // stopped by somebody else
    "none,       COMPLETE, false",
    "none,       FAILED,   false",
    "none,       REJECTED, false"
  })
  void theConditionDecidesWhichEndsAreFollowedByAnotherTask(String condition, String end, boolean restarts) {
    Scene web = running(policy -> policy.setCondition(condition)).reports(1, TaskState.valueOf("TASK_" + end));
    assertThat(web.tasks()).hasSize(restarts ? 2 : 1).first().isEqualTo("1 shutdown " + end.toLowerCase(Locale.ROOT) + " n1");
  }

  @Test
  void aReplacementWaitsAtReadyForFiveSecondsUnlessAskedOtherwise() {
    Scene web = running(policy -> { }).reports(1, TASK_FAILED);
    assertThat(web.tasks()).containsExactly("1 shutdown failed n1", "1 ready new");
    assertThat(web.bench().wakeAt()).contains(web.bench().now().plusSeconds(5));
    assertThat(web.seconds(4.9).live()).containsExactly("1 ready new");
    assertThat(web.seconds(0.1).live()).containsExactly("1 running new");
    assertThat(web.bench().wakeAt()).isEmpty();
  }

  @Test
  void theDelayIsTheServicesOwn() {
    Scene web = running(policy -> policy.setDelay(Duration.ofSeconds(30).toNanos())).reports(1, TASK_FAILED);
    assertThat(web.seconds(29).live()).containsExactly("1 ready new");
    assertThat(web.seconds(1).live()).containsExactly("1 running new");
  }

  @Test
  void withoutDelayItGoesAtOnce() {
    assertThat(running(policy -> policy.setDelay(0)).reports(1, TASK_FAILED).live()).containsExactly("1 running new");
  }

  @Test
  void itIsPreparedWhileItWaits() {
    Scene web = running(policy -> { }).reports(1, TASK_FAILED).placed(1, "n1").reports(1, TASK_PREPARING);
    assertThat(web.live()).containsExactly("1 ready preparing n1");
  }

  @Test
  void itSaysWhoseTaskItReplaces() {
    Scene web = running(policy -> { });
    String first = web.current(1).getId();
    assertThat(web.reports(1, TASK_FAILED).current(1).getReplaces()).isEqualTo(first);
  }

  @Test
  void oneThatFailsWhileItWaitsIsNotReplacedBeforeItsTimeHasCome() {
    Scene web = running(policy -> { }).reports(1, TASK_FAILED).seconds(1).reports(1, TASK_REJECTED);
    assertThat(web.tasks()).containsExactly("1 shutdown failed n1", "1 ready rejected n1");
    assertThat(web.seconds(4).tasks()).containsExactly("1 shutdown failed n1", "1 shutdown rejected n1", "1 ready new");
  }

  @Test
  void maxAttemptsCountsRestartsAndNotTheFirstTask() {
    Scene web = running(policy -> policy.setDelay(0).setMaxAttempts(2));
    web.reports(1, TASK_FAILED).reports(1, TASK_FAILED);
    assertThat(web.live()).containsExactly("1 running new");
    assertThat(web.reports(1, TASK_FAILED).live()).isEmpty();
    assertThat(web.tasks()).hasSize(3);
    assertThat(web.seconds(1_000_000).tasks()).hasSize(3);
  }

  @Test
  void withAWindowOnlyRecentAttemptsCount() {
    Scene web = running(policy -> policy.setDelay(0).setMaxAttempts(1).setWindow(Duration.ofSeconds(10).toNanos()));
    web.reports(1, TASK_FAILED).running().seconds(20).reports(1, TASK_FAILED);
    assertThat(web.live()).as("the attempt before is 20 s old").containsExactly("1 running new");
    assertThat(web.running().seconds(9).reports(1, TASK_FAILED).live()).as("it is 9 s old").isEmpty();
  }

  @Test
  void aChangeOfTheTemplateBeginsAnew() {
    Scene web = running(policy -> policy.setDelay(0).setMaxAttempts(1)).reports(1, TASK_FAILED).reports(1, TASK_FAILED);
    assertThat(web.live()).isEmpty();
    assertThat(web.image("image:2").live()).containsExactly("1 running new");
    assertThat(web.running().seconds(60).reports(1, TASK_FAILED).live()).containsExactly("1 running new");
  }

  @Test
  void aSlotWhoseTaskMayNotBeRestartedIsNotFreeForAnother() {
    Scene web = running(policy -> policy.setCondition("none")).reports(1, TASK_COMPLETE).replicas(2);
    assertThat(web.tasks()).containsExactly("1 shutdown complete n1", "2 running new");
  }

  @Test
  void eachSlotHasItsOwnAttempts() {
    Scene web = Scene.on("n1").asking(task -> task.getRestartPolicyBuilder().setDelay(0).setMaxAttempts(1)).replicas(2).running();
    web.reports(1, TASK_FAILED).reports(1, TASK_FAILED).reports(2, TASK_FAILED);
    assertThat(web.live()).containsExactly("2 running new");
  }

  @Test
  void aWaitWrittenUnderAClockThatRanAheadLastsNoLongerThanItself() {
    Scene web = running(policy -> { }).reports(1, TASK_FAILED);
    TaskIntentRow.Builder ahead = web.current(1).toBuilder();
    ahead.getStartAfterBuilder().setDue(Times.of(web.bench().now().plus(Duration.ofDays(1))));
    web.bench().cluster().put(Rows.INTENT.key(ahead.getId()), ahead.build());
    assertThat(web.seconds(0).live()).containsExactly("1 ready new");
    assertThat(web.bench().wakeAt()).contains(web.bench().now().plusSeconds(5));
    assertThat(web.seconds(5).live()).containsExactly("1 running new");
  }

  @Test
  void whatWasOrderedToStopIsNotRestartedWhenItStops() {
    Scene web = Scene.on("n1", "n2").replicas(2).running().replicas(1).stopped();
    assertThat(web.tasks()).containsExactly("1 running running n1");
  }
}
