package dev.skep.agent.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.agent.core.Observation.Absent;
import dev.skep.agent.core.Observation.Created;
import dev.skep.agent.core.Observation.Exited;
import dev.skep.agent.core.Observation.Health;
import dev.skep.agent.core.Observation.Interrupted;
import dev.skep.agent.core.Observation.Refused;
import dev.skep.agent.core.Observation.Running;
import dev.skep.api.v1.ContainerStatus;
import dev.skep.state.v1.TaskState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Every state, observation and goal: each cell of the product is named by exactly one line of the table. */
class TaskMachineTest {
  private static final Duration GRACE = Duration.ofSeconds(10);

  private static final Map<String, Observation> SEEN = new LinkedHashMap<>();

  static {
    SEEN.put("absent", new Absent());
    SEEN.put("created", new Created("c", List.of()));
    SEEN.put("half", new Created("c", List.of("n2", "n3")));
    SEEN.put("up", new Running("c", 7, Health.NONE));
    SEEN.put("checking", new Running("c", 7, Health.STARTING));
    SEEN.put("healthy", new Running("c", 7, Health.HEALTHY));
    SEEN.put("sick", new Running("c", 7, Health.UNHEALTHY));
    SEEN.put("exit0", new Exited("c", 0, "", false));
    SEEN.put("exit3", new Exited("c", 3, "", false));
    SEEN.put("exit3checked", new Exited("c", 3, "boom", true));
    SEEN.put("interrupted", new Interrupted("c"));
    SEEN.put("refused", new Refused("no"));
  }

  private static final List<TaskState> STATES =
      List.of(
          TaskState.TASK_ASSIGNED, TaskState.TASK_ACCEPTED, TaskState.TASK_PREPARING, TaskState.TASK_READY, TaskState.TASK_STARTING,
          TaskState.TASK_RUNNING, TaskState.TASK_COMPLETE, TaskState.TASK_SHUTDOWN, TaskState.TASK_FAILED, TaskState.TASK_REJECTED);

  /** states | observations | goals | new state "message" (err) effects. "=" is no report. */
  private static final String TABLE =
      """
      ASSIGNED | * | READY,RUN | ACCEPTED "accepted"
      ACCEPTED | * | READY,RUN | PREPARING "preparing"
      PREPARING | absent | READY,RUN | = Pull Create
      PREPARING | created | READY,RUN | READY "prepared"
      PREPARING | half | READY,RUN | = Connect(n2) Connect(n3)
      PREPARING | up,checking,healthy,sick,exit0,exit3,exit3checked,interrupted | READY,RUN | READY "prepared"
      PREPARING | refused | READY,RUN | REJECTED "preparing" (no)
      READY | created,half,interrupted | RUN | STARTING "starting" Start
      READY | created,half,interrupted | READY | =
      READY | up,checking,healthy,sick | RUN | STARTING "starting"
      READY | up,checking,healthy,sick | READY | =
      READY | exit0,exit3,exit3checked | RUN | STARTING "starting"
      READY | exit0,exit3,exit3checked | READY | =
      READY | absent | READY,RUN | REJECTED "prepared" (No such container: it was removed by somebody else)
      READY | refused | READY,RUN | REJECTED "prepared" (no)
      STARTING | created,half,interrupted | READY,RUN | = Start
      STARTING | up,healthy | READY,RUN | RUNNING "started"
      STARTING | checking | READY,RUN | =
      STARTING | sick | READY,RUN | = Stop
      STARTING | exit0 | READY,RUN | COMPLETE "finished"
      STARTING | exit3 | READY,RUN | FAILED "started" (task: non-zero exit (3))
      STARTING | exit3checked | READY,RUN | FAILED "starting" (task: non-zero exit (3): boom)
      STARTING | absent | READY,RUN | FAILED "starting" (No such container: it was removed by somebody else)
      STARTING | refused | READY,RUN | FAILED "starting" (starting container failed: no)
      RUNNING | created,half,interrupted | READY,RUN | = Start
      RUNNING | up,checking,healthy | READY,RUN | =
      RUNNING | sick | READY,RUN | = Stop
      RUNNING | exit0 | READY,RUN | COMPLETE "finished"
      RUNNING | exit3 | READY,RUN | FAILED "started" (task: non-zero exit (3))
      RUNNING | exit3checked | READY,RUN | FAILED "started" (task: non-zero exit (3): boom)
      RUNNING | absent | READY,RUN | FAILED "started" (No such container: it was removed by somebody else)
      RUNNING | refused | READY,RUN | FAILED "started" (starting container failed: no)
      ASSIGNED,ACCEPTED,PREPARING,READY,STARTING,RUNNING | up,checking,healthy,sick | STOP,REMOVE | = Stop
      ASSIGNED,ACCEPTED,PREPARING,READY,STARTING,RUNNING | absent | STOP,REMOVE | SHUTDOWN "shutdown"
      ASSIGNED,ACCEPTED,PREPARING,READY,STARTING,RUNNING | created,half,exit0,exit3,exit3checked,interrupted,refused | STOP | SHUTDOWN "shutdown"
      ASSIGNED,ACCEPTED,PREPARING,READY,STARTING,RUNNING | created,half,exit0,exit3,exit3checked,interrupted,refused | REMOVE | SHUTDOWN "shutdown" Remove
      COMPLETE,SHUTDOWN,FAILED,REJECTED | up,checking,healthy,sick | READY,RUN,STOP,REMOVE | = Stop
      COMPLETE,SHUTDOWN,FAILED,REJECTED | absent,refused | READY,RUN,STOP,REMOVE | =
      COMPLETE,SHUTDOWN,FAILED,REJECTED | created,half,exit0,exit3,exit3checked,interrupted | READY,RUN,STOP | =
      COMPLETE,SHUTDOWN,FAILED,REJECTED | created,half,exit0,exit3,exit3checked,interrupted | REMOVE | = Remove
      * | up,checking,healthy,sick | GONE | = Stop Remove
      * | created,half,exit0,exit3,exit3checked,interrupted,refused | GONE | = Remove
      * | absent | GONE | = done
      """;

  @Test
  void everyCellOfTheProductIsListedOnceAndHolds() {
    for (TaskState state : STATES) {
      for (var seen : SEEN.entrySet()) {
        for (Goal goal : Goal.values()) {
          String cell = state.name().substring(5) + " | " + seen.getKey() + " | " + goal;
          List<String> lines = TABLE.lines().filter(line -> covers(line, state.name().substring(5), seen.getKey(), goal.name())).toList();
          assertThat(lines).as(cell).hasSize(1);
          String want = lines.getFirst().split("\\|")[3].strip();
          assertThat(text(TaskMachine.next(goal, GRACE, at(state), seen.getValue()))).as(cell).isEqualTo(want);
        }
      }
    }
  }

  private static boolean covers(String line, String state, String seen, String goal) {
    String[] columns = line.split("\\|");
    return has(columns[0], state) && has(columns[1], seen) && has(columns[2], goal);
  }

  private static boolean has(String column, String name) {
    return column.strip().equals("*") || Arrays.asList(column.strip().split(",")).contains(name);
  }

  private static Progress at(TaskState state) {
    ContainerStatus container =
        state == TaskState.TASK_RUNNING ? ContainerStatus.newBuilder().setContainerId("c").setPid(7).build() : ContainerStatus.getDefaultInstance();
    return new Progress(state, "before", "", container, "");
  }

  private static String text(TaskMachine.Step step) {
    List<String> words = new ArrayList<>();
    if (step.report()) {
      words.add(step.progress().state().name().substring(5) + " \"" + step.progress().message() + "\"");
      if (!step.progress().err().isEmpty()) {
        words.add("(" + step.progress().err() + ")");
      }
    } else {
      words.add("=");
    }
    words.addAll(step.effects().stream().map(TaskMachineTest::text).toList());
    if (step.done()) {
      words.add("done");
    }
    return words.stream().collect(Collectors.joining(" "));
  }

  private static String text(Effect effect) {
    return switch (effect) {
      case Effect.Pull _ -> "Pull";
      case Effect.Create _ -> "Create";
      case Effect.Connect c -> "Connect(" + c.networkId() + ")";
      case Effect.Start _ -> "Start";
      case Effect.Stop _ -> "Stop";
      case Effect.Remove _ -> "Remove";
    };
  }

  @Test
  void anUnhealthyContainerIsStoppedFirstAndFailsWithThatReason() {
    var stopping = TaskMachine.next(Goal.RUN, GRACE, at(TaskState.TASK_RUNNING), SEEN.get("sick"));
    assertThat(stopping.effects()).containsExactly(new Effect.Stop(GRACE));
    var again = TaskMachine.next(Goal.RUN, GRACE, stopping.progress(), new Running("c", 7, Health.NONE));
    assertThat(again.effects()).containsExactly(new Effect.Stop(GRACE));
    var ended = TaskMachine.next(Goal.RUN, GRACE, again.progress(), new Exited("c", 143, "", true));
    assertThat(ended.progress().state()).isEqualTo(TaskState.TASK_FAILED);
    assertThat(ended.progress().message()).isEqualTo("started");
    assertThat(ended.progress().err()).isEqualTo("dockerexec: unhealthy container");
    assertThat(ended.progress().container().getExitCode()).isEqualTo(143);
  }

  @Test
  void aContainerStartedAgainByItsEngineIsReportedWithItsNewProcess() {
    var step = TaskMachine.next(Goal.RUN, GRACE, at(TaskState.TASK_RUNNING), new Running("c", 8, Health.NONE));
    assertThat(step.report()).isTrue();
    assertThat(step.progress().state()).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(step.progress().container().getPid()).isEqualTo(8);
  }

  /** It was to be stopped because it was unhealthy, and its engine went down first. */
  @Test
  void aContainerThatWasToBeStoppedIsNotStartedAgain() {
    for (TaskState state : List.of(TaskState.TASK_STARTING, TaskState.TASK_RUNNING)) {
      Progress sick = TaskMachine.next(Goal.RUN, GRACE, at(state), new Running("c", 7, Health.UNHEALTHY)).progress();
      TaskMachine.Step step = TaskMachine.next(Goal.RUN, GRACE, sick, new Interrupted("c"));
      assertThat(step.progress().state()).isEqualTo(TaskState.TASK_FAILED);
      assertThat(step.progress().err()).isEqualTo(TaskMachine.UNHEALTHY);
      assertThat(step.effects()).isEmpty();
      assertThat(TaskMachine.next(Goal.RUN, GRACE, sick, new Running("c", 7, Health.HEALTHY)).effects())
          .as("what was decided stays decided").containsExactly(new Effect.Stop(GRACE));
    }
  }
}
