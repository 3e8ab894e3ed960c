package dev.skep.agent.shell;

import dev.skep.agent.AgentConfig;
import dev.skep.agent.core.Effect;
import dev.skep.agent.core.Goal;
import dev.skep.agent.core.Observation;
import dev.skep.agent.core.TaskMachine;
import dev.skep.api.v1.PortConfig;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.runtime.Host;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives every task of the node through {@link TaskMachine}: one engine call at a time per task, many tasks at a time.
 * All methods run on the agent's thread.
 */
final class Tasks {
  /** What tasks need of the rest of the agent. */
  interface Surroundings {
    /** Why the task can never get its networks; empty when it can. */
    Optional<String> networkProblem(TaskAssignment task);

    boolean networksStand(TaskAssignment task);

    /** The gateway of the task's first network, or "". */
    String resolver(TaskAssignment task);

    void report(TaskStatusRow status);

    /** A container of the task runs: its ports on the bridges exist now. */
    void started(TaskAssignment task);

    /** Nothing of a task is left on this node. */
    void gone();

    /** Whether the engine takes new connections; one that is ending does not. Called on any thread, may block. */
    boolean engineAccepts();

    /** The engine is ending, and ended a container at the time. */
    void engineLeaving(Instant since);
  }

  private static final Logger LOG = LoggerFactory.getLogger(Tasks.class);
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final Host host;
  private final Executor agent;
  private final TaskCalls calls;
  private final Images images;
  private final Surroundings surroundings;
  private final AgentMetrics metrics;
  private final Lane starts;
  private final Lane stops;
  private final Lane removals;
  private final Map<String, TaskEntry> entries = new LinkedHashMap<>();
  private Containers.Node node;
  private Outage outage = Outage.NONE;
  private boolean engineUp;
  private boolean retryPlanned;

  Tasks(Host host, Executor agent, Containers containers, Images images, AgentConfig config, AgentMetrics metrics, Surroundings surroundings) {
    this.host = host;
    this.agent = agent;
    this.calls = new TaskCalls(containers, surroundings::engineAccepts);
    this.images = images;
    this.surroundings = surroundings;
    this.metrics = metrics;
    this.starts = new Lane(host, agent, "agent-start", config.starts());
    this.stops = new Lane(host, agent, "agent-stop", 256);
    this.removals = new Lane(host, agent, "agent-remove", config.removals());
  }

  /** The tasks of the node as of now; others are taken down. */
  void assign(Map<String, TaskAssignment> wanted) {
    for (TaskAssignment task : wanted.values()) {
      TaskEntry entry = entries.computeIfAbsent(task.getId(), _ -> came(task));
      if (entry.assign(task, Goal.of(task.getDesired())) && node != null) {
        report(entry); // the cluster had forgotten the task, and with it what became of it
      }
    }
    entries.forEach(
        (id, entry) -> {
          if (!wanted.containsKey(id)) {
            entry.assign(entry.task, Goal.GONE);
          }
        });
    List.copyOf(entries.values()).forEach(this::step);
  }

  private TaskEntry came(TaskAssignment task) {
    TaskEntry entry = new TaskEntry(task);
    metrics.came(entry.progress.state());
    return entry;
  }

  /** The engine answers. {@code withContainer} are tasks that had a container when it was asked. */
  void engineUp(Containers.Node around, Outage latest, Set<String> withContainer) {
    node = around;
    outage = latest;
    engineUp = true;
    for (TaskEntry entry : List.copyOf(entries.values())) {
      if (!entry.busy) {
        // The list may be older than a container that was made meanwhile: it speaks only for tasks without any call.
        entry.seen = withContainer.contains(entry.task.getId()) || entry.called() ? null : absent(entry);
      } else {
        entry.dirty = true;
      }
      step(entry);
    }
  }

  void engineDown() {
    engineUp = false;
  }

  void happened(String taskId, String action, long exitCode) {
    TaskEntry entry = entries.get(taskId);
    if (entry == null || entry.current instanceof Effect.Remove || (action.equals("start") && entry.current instanceof Effect.Start)) {
      return;
    }
    if (exitCode >= 0) {
      entry.lastExit = exitCode;
    }
    if (entry.busy) {
      entry.dirty = true;
    } else {
      entry.seen = null;
      step(entry);
    }
  }

  /** Networks came or failed: tasks that wait for them go on. */
  void networksMoved() {
    entries.values().stream().filter(entry -> entry.parked).toList().forEach(this::step);
  }

  Set<String> running() {
    return entries.values().stream().filter(TaskEntry::runs).map(entry -> entry.task.getId()).collect(Collectors.toSet());
  }

  Optional<TaskAssignment> task(String id) {
    return Optional.ofNullable(entries.get(id)).map(entry -> entry.task);
  }

  /** What the cluster should know of every task: sent when a session begins, and kept on disk. */
  Map<String, TaskStatusRow> statuses(String nodeId) {
    Map<String, TaskStatusRow> statuses = new LinkedHashMap<>();
    entries.forEach(
        (id, entry) -> {
          if (entry.goal != Goal.GONE) {
            TaskStatusRow told = entry.lastReport;
            statuses.put(id, told == null ? entry.progress.row(id, nodeId, entry.task.getLastStatus().getTimestamp()) : told);
          }
        });
    return statuses;
  }

  private void step(TaskEntry entry) {
    if (!engineUp) {
      return;
    }
    if (entry.busy) {
      abandonPull(entry);
      return;
    }
    entry.parked = false;
    while (true) {
      if (entry.seen == null) {
        look(entry);
        return;
      }
      TaskMachine.Step step = TaskMachine.next(entry.goal, entry.grace(), entry.progress, entry.seen);
      boolean moved = !step.progress().equals(entry.progress);
      metrics.left(entry.progress.state());
      entry.progress = step.progress();
      metrics.came(entry.progress.state());
      if (step.report()) {
        report(entry);
      }
      if (step.done()) {
        entries.remove(entry.task.getId());
        metrics.left(entry.progress.state());
        surroundings.gone();
        return;
      }
      if (!step.effects().isEmpty()) {
        entry.pending = new ArrayDeque<>(step.effects());
        next(entry);
        return;
      }
      if (entry.seen instanceof Observation.Refused) {
        entry.seen = null; // an answer, not a look: whether a container is left is to be seen
      } else if (!moved) {
        return;
      }
    }
  }

  private void report(TaskEntry entry) {
    TaskStatusRow.Builder row = entry.progress.row(entry.task.getId(), node.ownership().nodeId(), now()).toBuilder();
    if (entry.seen instanceof Observation.Running) {
      row.addAllHostPorts(entry.hostPorts);
    }
    entry.lastReport = row.build();
    surroundings.report(entry.lastReport);
  }

  private com.google.protobuf.Timestamp now() {
    Instant now = host.clock().instant();
    return com.google.protobuf.Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()).build();
  }

  private void abandonPull(TaskEntry entry) {
    if (entry.current instanceof Effect.Pull && entry.goal != Goal.READY && entry.goal != Goal.RUN) {
      entry.generation++;
      entry.waiting.interrupt();
      entry.rest();
      entry.seen = new Observation.Absent();
      step(entry);
    }
  }

  private void next(TaskEntry entry) {
    Effect effect = entry.pending.poll();
    if (effect == null) {
      step(entry);
      return;
    }
    switch (effect) {
      case Effect.Pull _ -> pull(entry);
      case Effect.Create create -> create(entry, create);
      case Effect.Connect _, Effect.Start _ -> run(entry, effect, starts);
      case Effect.Stop _ -> run(entry, effect, stops);
      case Effect.Remove _ -> run(entry, effect, removals);
    }
  }

  private void pull(TaskEntry entry) {
    if (entry.pulled) {
      next(entry);
      return;
    }
    Images.Wait wait = images.want(entry.task);
    long generation = entry.begin(new Effect.Pull());
    entry.waiting =
        host.blocking(
            "agent-pull-wait",
            () -> {
              try {
                wait.await();
                done(entry, generation, new Outcome.Done());
              } catch (EngineException problem) {
                done(entry, generation, Outcome.of(problem));
              } catch (InterruptedException abandoned) {
                // Nobody waits for this answer any more.
              }
            });
  }

  private void create(TaskEntry entry, Effect create) {
    Optional<String> problem = surroundings.networkProblem(entry.task);
    if (problem.isPresent()) {
      entry.seen = new Observation.Refused(problem.get());
      step(entry);
    } else if (surroundings.networksStand(entry.task)) {
      run(entry, create, starts);
    } else {
      entry.parked = true;
    }
  }

  private void look(TaskEntry entry) {
    entry.dirty = false;
    long generation = entry.begin(null);
    boolean wanted = entry.goal == Goal.RUN && ran(entry);
    TaskAssignment task = entry.task;
    host.blocking("agent-look", () -> done(entry, generation, calls.look(task, wanted)));
  }

  private static boolean ran(TaskEntry entry) {
    return !entry.progress.terminal() && entry.progress.state().getNumber() >= TaskState.TASK_STARTING_VALUE;
  }

  private void run(TaskEntry entry, Effect effect, Lane lane) {
    long generation = entry.begin(effect);
    Containers.Node around = node;
    TaskAssignment task = entry.task;
    String resolver = surroundings.resolver(task);
    Runnable call = () -> done(entry, generation, calls.perform(task, effect, around, resolver));
    if (effect instanceof Effect.Create) {
      lane.run(call);
    } else {
      lane.first(call);
    }
  }

  private void done(TaskEntry entry, long generation, Outcome outcome) {
    agent.execute(() -> finished(entry, generation, outcome));
  }

  private void finished(TaskEntry entry, long generation, Outcome outcome) {
    if (generation != entry.generation) {
      return;
    }
    Effect effect = entry.current;
    entry.busy = false;
    entry.current = null;
    switch (outcome) {
      case Outcome.Seen(Containers.Look look) -> seen(entry, effect, look);
      case Outcome.Done() -> {
        entry.pulled |= effect instanceof Effect.Pull;
        entry.seen = entry.pending.isEmpty() ? stopped(entry, effect) : entry.seen;
        next(entry);
      }
      case Outcome.No(String reason) when effect == null || effect instanceof Effect.Stop || effect instanceof Effect.Remove ->
          later(entry, reason);
      case Outcome.No(String reason) -> {
        entry.pending.clear();
        entry.seen = new Observation.Refused(reason);
        step(entry);
      }
      case Outcome.Away(String reason) -> later(entry, reason);
      case Outcome.Leaving(Instant since) -> {
        surroundings.engineLeaving(since);
        later(entry, "its engine is ending");
      }
    }
  }

  /** A container that was to stop and has told how it ended needs no look. */
  private static Observation stopped(TaskEntry entry, Effect effect) {
    boolean over = effect instanceof Effect.Stop && entry.goal != Goal.RUN && entry.goal != Goal.READY && entry.lastExit >= 0;
    return over ? new Observation.Exited(entry.progress.container().getContainerId(), entry.lastExit, "", false) : null;
  }

  private void seen(TaskEntry entry, Effect effect, Containers.Look look) {
    entry.hostPorts = look.hostPorts();
    entry.seen = entry.dirty ? null : interpret(entry, look);
    if (effect instanceof Effect.Start) {
      entry.lastExit = -1;
      surroundings.started(entry.task);
    }
    next(entry);
  }

  /** What a look means with what else is known: events that were seen, and when the engine was away. */
  private Observation interpret(TaskEntry entry, Containers.Look look) {
    if (look.seen() instanceof Observation.Absent) {
      return absent(entry);
    }
    if (look.seen() instanceof Observation.Exited exited && ran(entry) && outage.covers(look.finished())) {
      LOG.info("the container of {} ended with its engine", entry.task.getId());
      return new Observation.Interrupted(exited.container());
    }
    return look.seen();
  }

  private static Observation absent(TaskEntry entry) {
    return entry.lastExit >= 0 && !entry.progress.terminal()
        ? new Observation.Exited(entry.progress.container().getContainerId(), entry.lastExit, "", false)
        : new Observation.Absent();
  }

  /** The world's failure: look again in a while. */
  private void later(TaskEntry entry, String reason) {
    LOG.info("{}: {}; tried again", entry.task.getId(), reason);
    entry.rest();
    entry.seen = null;
    entry.away = true;
    if (!retryPlanned) {
      retryPlanned = true;
      host.after(RETRY, () -> agent.execute(this::retry));
    }
  }

  private void retry() {
    retryPlanned = false;
    for (TaskEntry entry : entries.values().stream().filter(e -> e.away).toList()) {
      entry.away = false;
      step(entry);
    }
  }
}
