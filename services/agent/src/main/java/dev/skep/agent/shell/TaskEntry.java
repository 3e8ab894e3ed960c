package dev.skep.agent.shell;

import dev.skep.agent.core.Effect;
import dev.skep.agent.core.Goal;
import dev.skep.agent.core.Observation;
import dev.skep.agent.core.Progress;
import dev.skep.api.v1.PortConfig;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** What the agent remembers of one task. Read and changed on the agent's thread only. */
final class TaskEntry {
  static final Duration GRACE = Duration.ofSeconds(10);

  TaskAssignment task;
  Goal goal = Goal.READY;
  Progress progress;
  /** The last look or answer; null: look first. */
  Observation seen;
  List<PortConfig> hostPorts = List.of();
  Deque<Effect> pending = new ArrayDeque<>();
  /** The call under way; null with {@link #busy} is a look. */
  Effect current;
  boolean busy;
  /** Something happened during the call under way: what it brings is not the latest. */
  boolean dirty;
  /** Waits for its networks. */
  boolean parked;
  /** The engine did not answer; waits for the next attempt. */
  boolean away;
  boolean pulled;
  /** Answers to calls of an older generation are ignored. */
  long generation;
  /** How the container ended, as an event told; negative: it did not. */
  long lastExit = -1;
  Thread waiting;
  TaskStatusRow lastReport;

  TaskEntry(TaskAssignment task) {
    this.task = task;
    this.progress = Progress.of(task.getLastStatus());
    this.seen = progress.begun() ? null : new Observation.Absent();
  }

  /** Also by what an earlier life wrote down: assignments may come before anybody has looked at the engine. */
  boolean runs() {
    return seen instanceof Observation.Running || progress.state() == TaskState.TASK_RUNNING;
  }

  /** @return whether the cluster may have forgotten what became of the task, and is to hear it again */
  boolean assign(TaskAssignment next, Goal wanted) {
    boolean said = next != task; // the cluster did, just now; what it said earlier comes along with every set
    boolean back = wanted != Goal.GONE && (goal == Goal.GONE || said && progress.newTo(next));
    task = next;
    if (goal != wanted) {
      goal = wanted;
      pending.clear(); // decided for the goal before; the call under way ends first
    }
    return back;
  }

  Duration grace() {
    var spec = task.getSpec().getContainerSpec();
    return spec.hasStopGracePeriod() ? Duration.ofNanos(spec.getStopGracePeriod()) : GRACE;
  }

  long begin(Effect effect) {
    busy = true;
    current = effect;
    return ++generation;
  }

  /** Whether the engine was ever called for this task, by this life of the agent. */
  boolean called() {
    return generation > 0;
  }

  void rest() {
    busy = false;
    current = null;
    pending.clear();
  }
}
