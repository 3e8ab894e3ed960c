package dev.skep.skepd.sim;

import dev.skep.agent.core.Effect;
import dev.skep.agent.core.Goal;
import dev.skep.agent.core.Observation;
import dev.skep.agent.core.Progress;
import dev.skep.agent.core.TaskMachine;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.sim.SimProcess;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** Drives the real {@link TaskMachine} of one task: observe, step, carry out, observe again. */
final class TaskWork {
  private static final Duration SOON = Duration.ofMillis(1);
  private static final Duration RETRY = Duration.ofMillis(250);

  private final SimNode node;
  private final SimProcess process;
  private final SimAgent agent;
  private final String id;
  private TaskAssignment task;
  private Goal goal = Goal.READY;
  private Progress progress;
  private Observation last;
  private String refused;
  private boolean busy;
  private boolean planned;

  TaskWork(SimNode node, SimAgent agent, String id, TaskAssignment task) {
    this.node = node;
    this.process = node.process();
    this.agent = agent;
    this.id = id;
    this.task = task;
    this.progress = Progress.of(task.getLastStatus());
  }

  Goal goal() {
    return goal;
  }

  /** As far as this life of the agent knows; before it looked, as far as the one before it knew. */
  boolean running() {
    return last == null ? progress.state() == TaskState.TASK_RUNNING : last instanceof Observation.Running;
  }

  Progress progress() {
    return progress;
  }

  void goal(Goal next, TaskAssignment assignment) {
    boolean said = assignment != null && assignment != task;
    boolean back = next != Goal.GONE && (goal == Goal.GONE || said && progress.newTo(assignment));
    goal = next;
    if (back && progress.state().getNumber() > TaskState.TASK_ASSIGNED_VALUE) {
      agent.status(id, progress); // the cluster had forgotten the task, and what it knew of it
    }
    if (assignment != null) {
      task = assignment;
    }
    look();
  }

  void look() {
    if (!busy && !planned) {
      planned = true;
      process.after(SOON, this::step);
    }
  }

  private void lookLater() {
    process.after(RETRY, this::look);
  }

  private void step() {
    planned = false;
    if (busy) {
      return;
    }
    if (!node.engine().up()) {
      lookLater();
      return;
    }
    Observation seen = refused == null ? seen() : new Observation.Refused(refused);
    refused = null;
    last = seen;
    Duration grace = Duration.ofNanos(task.getSpec().getContainerSpec().getStopGracePeriod());
    TaskMachine.Step step = TaskMachine.next(goal, grace, progress, seen);
    boolean moved = !step.progress().equals(progress);
    progress = step.progress();
    if (step.report()) {
      process.note(id + " is " + progress.state());
      agent.status(id, progress);
    }
    if (step.done()) {
      agent.forget(id);
      return;
    }
    if (!step.effects().isEmpty()) {
      busy = true;
      carryOut(step.effects(), 0);
    } else if (moved || step.report()) {
      look();
    }
  }

  private Observation seen() {
    Observation seen = node.engine().observe(id);
    return node.mutants(Mutant.HEALTH_NOT_AWAITED) && seen instanceof Observation.Running(String container, long pid, Observation.Health _)
        ? new Observation.Running(container, pid, Observation.Health.NONE)
        : seen;
  }

  private void carryOut(List<Effect> effects, int next) {
    if (next == effects.size()) {
      busy = false;
      look();
      return;
    }
    Consumer<SimEngine.Answer> answer = process.mine(what -> {
      switch (what) {
        case SimEngine.Answer.Done _ -> carryOut(effects, next + 1);
        case SimEngine.Answer.Refused no -> {
          busy = false;
          refused = no.reason();
          look();
        }
        case SimEngine.Answer.Unavailable _ -> {
          busy = false;
          lookLater();
        }
      }
    });
    switch (effects.get(next)) {
      case Effect.Pull _ -> node.engine().pull(task.getSpec().getContainerSpec().getImage(), answer);
      case Effect.Create _ -> create(answer);
      case Effect.Connect _ -> answer.accept(new SimEngine.Answer.Done());
      case Effect.Start _ -> node.engine().start(id, answer);
      case Effect.Stop stop -> node.engine().stop(id, stop.grace(), answer);
      case Effect.Remove _ -> {
        Container container = node.engine().ofTask(id);
        node.engine().remove(container == null ? "" : container.id, answer);
      }
    }
  }

  private void create(Consumer<SimEngine.Answer> answer) {
    String problem = agent.networks().problemOf(task);
    if (goal == Goal.GONE || problem.isEmpty() && !agent.networks().stand(task)) {
      answer.accept(new SimEngine.Answer.Unavailable());
    } else if (problem.isEmpty()) {
      node.engine().create(task, agent.ownership().labels(task), answer);
    } else {
      answer.accept(new SimEngine.Answer.Refused(problem));
    }
  }
}
