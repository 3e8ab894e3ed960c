package dev.skep.agent.core;

import dev.skep.agent.core.Observation.Absent;
import dev.skep.agent.core.Observation.Created;
import dev.skep.agent.core.Observation.Exited;
import dev.skep.agent.core.Observation.Health;
import dev.skep.agent.core.Observation.Interrupted;
import dev.skep.agent.core.Observation.Refused;
import dev.skep.agent.core.Observation.Running;
import dev.skep.state.v1.TaskState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One task on its node. Called after every observation and every change of the goal; between two calls at most the
 * effects of the first are under way. States only grow. Called again without news it repeats unfinished effects, so a
 * crash at any point is mended by observing and asking again.
 */
public final class TaskMachine {
  public static final String UNHEALTHY = "dockerexec: unhealthy container";
  static final String VANISHED = "No such container: it was removed by somebody else";

  /** {@code done}: nothing of the task is left and it may be forgotten. {@code report}: the cluster should hear of it. */
  public record Step(Progress progress, boolean report, List<Effect> effects, boolean done) {}

  private TaskMachine() {}

  public static Step next(Goal goal, Duration grace, Progress progress, Observation seen) {
    return switch (goal) {
      case GONE -> vanish(grace, progress, seen);
      case STOP, REMOVE -> progress.terminal() ? rest(goal, grace, progress, seen) : stop(goal, grace, progress, seen);
      case READY, RUN -> progress.terminal() ? rest(goal, grace, progress, seen) : advance(goal, grace, progress, seen);
    };
  }

  private static Step vanish(Duration grace, Progress progress, Observation seen) {
    return switch (seen) {
      case Absent _ -> new Step(progress, false, List.of(), true);
      case Running _ -> effects(progress, new Effect.Stop(grace), new Effect.Remove());
      case Created _, Exited _, Interrupted _, Refused _ -> effects(progress, new Effect.Remove());
    };
  }

  /** The task is over: its container must not run, and goes when the cluster keeps no history of it. */
  private static Step rest(Goal goal, Duration grace, Progress progress, Observation seen) {
    return switch (seen) {
      case Running _ -> effects(progress, new Effect.Stop(grace));
      case Created _, Exited _, Interrupted _ -> goal == Goal.REMOVE ? effects(progress, new Effect.Remove()) : effects(progress);
      case Absent _, Refused _ -> effects(progress);
    };
  }

  private static Step stop(Goal goal, Duration grace, Progress progress, Observation seen) {
    Progress over = progress.at(TaskState.TASK_SHUTDOWN, "shutdown");
    return switch (seen) {
      case Running _ -> effects(progress, new Effect.Stop(grace));
      case Exited e -> report(over.in(e.container(), 0, e.exitCode()), removal(goal));
      case Created c -> report(over.in(c.container(), 0, 0), removal(goal));
      case Interrupted i -> report(over.in(i.container(), 0, progress.container().getExitCode()), removal(goal));
      // A refused create or start leaves at most a container that never ran.
      case Refused _ -> report(over, removal(goal));
      case Absent _ -> report(over, List.of());
    };
  }

  private static List<Effect> removal(Goal goal) {
    return goal == Goal.REMOVE ? List.of(new Effect.Remove()) : List.of();
  }

  private static Step advance(Goal goal, Duration grace, Progress progress, Observation seen) {
    return switch (progress.state()) {
      case TASK_NEW, TASK_PENDING, TASK_ASSIGNED -> report(progress.at(TaskState.TASK_ACCEPTED, "accepted"), List.of());
      case TASK_ACCEPTED -> report(progress.at(TaskState.TASK_PREPARING, "preparing"), List.of());
      case TASK_PREPARING -> prepare(progress, seen);
      case TASK_READY -> begin(goal, progress, seen);
      case TASK_STARTING -> start(grace, progress, seen);
      case TASK_RUNNING -> run(grace, progress, seen);
      case TASK_COMPLETE, TASK_SHUTDOWN, TASK_FAILED, TASK_REJECTED, TASK_REMOVE, TASK_ORPHANED, UNRECOGNIZED ->
          throw new IllegalStateException("a terminal task does not advance: " + progress.state());
    };
  }

  private static Step prepare(Progress progress, Observation seen) {
    return switch (seen) {
      case Absent _ -> effects(progress, new Effect.Pull(), new Effect.Create());
      case Created c when !c.unconnected().isEmpty() -> {
        List<Effect> connects = new ArrayList<>();
        c.unconnected().forEach(network -> connects.add(new Effect.Connect(network)));
        yield new Step(progress, false, List.copyOf(connects), false);
      }
      case Created c -> report(progress.at(TaskState.TASK_READY, "prepared").in(c.container(), 0, 0), List.of());
      // The status of an earlier life of this agent was lost; the container shows how far it had come.
      case Running _, Exited _, Interrupted _ -> report(progress.at(TaskState.TASK_READY, "prepared"), List.of());
      case Refused r -> report(progress.failed(TaskState.TASK_REJECTED, "preparing", r.reason()), List.of());
    };
  }

  private static Step begin(Goal goal, Progress progress, Observation seen) {
    boolean go = goal == Goal.RUN;
    Progress starting = progress.at(TaskState.TASK_STARTING, "starting");
    return switch (seen) {
      case Created _, Interrupted _ -> go ? report(starting, List.of(new Effect.Start())) : effects(progress);
      // Not stopped when it should only be ready: an agent that starts may have an older order on its disk than the one it gave.
      case Running _ -> go ? report(starting, List.of()) : effects(progress);
      case Exited _ -> go ? report(starting, List.of()) : effects(progress);
      case Absent _ -> report(progress.failed(TaskState.TASK_REJECTED, "prepared", VANISHED), List.of());
      case Refused r -> report(progress.failed(TaskState.TASK_REJECTED, "prepared", r.reason()), List.of());
    };
  }

  private static Step start(Duration grace, Progress progress, Observation seen) {
    return switch (seen) {
      case Created c when !progress.ending().isEmpty() -> report(given(progress, c.container(), "starting"), List.of());
      case Interrupted i when !progress.ending().isEmpty() -> report(given(progress, i.container(), "starting"), List.of());
      case Created _, Interrupted _ -> effects(progress, new Effect.Start());
      case Running _ when !progress.ending().isEmpty() -> effects(progress, new Effect.Stop(grace));
      case Running r ->
          switch (r.health()) {
            case NONE, HEALTHY -> report(progress.at(TaskState.TASK_RUNNING, "started").in(r.container(), r.pid(), 0), List.of());
            case STARTING -> effects(progress);
            case UNHEALTHY -> effects(progress.endingFor(UNHEALTHY), new Effect.Stop(grace));
          };
      // Without a health check a container that ended at once had started; with one it had not.
      case Exited e -> report(ended(progress, e, e.checked() ? "starting" : "started"), List.of());
      case Absent _ -> report(progress.failed(TaskState.TASK_FAILED, "starting", VANISHED), List.of());
      case Refused r -> report(progress.failed(TaskState.TASK_FAILED, "starting", "starting container failed: " + r.reason()), List.of());
    };
  }

  private static Step run(Duration grace, Progress progress, Observation seen) {
    return switch (seen) {
      case Created c when !progress.ending().isEmpty() -> report(given(progress, c.container(), "started"), List.of());
      case Interrupted i when !progress.ending().isEmpty() -> report(given(progress, i.container(), "started"), List.of());
      case Created _, Interrupted _ -> effects(progress, new Effect.Start());
      case Running r when r.health() == Health.UNHEALTHY || !progress.ending().isEmpty() ->
          effects(progress.endingFor(UNHEALTHY), new Effect.Stop(grace));
      case Running r when !same(progress, r) -> report(progress.in(r.container(), r.pid(), 0), List.of());
      case Running _ -> effects(progress);
      case Exited e -> report(ended(progress, e, "started"), List.of());
      case Absent _ -> report(progress.failed(TaskState.TASK_FAILED, "started", VANISHED), List.of());
      case Refused r -> report(progress.failed(TaskState.TASK_FAILED, "started", "starting container failed: " + r.reason()), List.of());
    };
  }

  /** It was to be stopped for a reason, and the engine ended it first: it is not started again only to be stopped. */
  private static Progress given(Progress progress, String container, String message) {
    return progress.in(container, 0, progress.container().getExitCode()).failed(TaskState.TASK_FAILED, message, progress.ending());
  }

  private static boolean same(Progress progress, Running now) {
    return progress.container().getContainerId().equals(now.container()) && progress.container().getPid() == now.pid();
  }

  private static Progress ended(Progress progress, Exited exit, String message) {
    Progress in = progress.in(exit.container(), 0, exit.exitCode());
    if (!progress.ending().isEmpty()) {
      return in.failed(TaskState.TASK_FAILED, message, progress.ending());
    }
    if (exit.exitCode() == 0) {
      return in.at(TaskState.TASK_COMPLETE, "finished");
    }
    String cause = exit.error().isEmpty() ? "" : ": " + exit.error();
    return in.failed(TaskState.TASK_FAILED, message, "task: non-zero exit (" + exit.exitCode() + ")" + cause);
  }

  private static Step effects(Progress progress, Effect... effects) {
    return new Step(progress, false, List.of(effects), false);
  }

  private static Step report(Progress progress, List<Effect> effects) {
    return new Step(progress, true, effects, false);
  }
}
