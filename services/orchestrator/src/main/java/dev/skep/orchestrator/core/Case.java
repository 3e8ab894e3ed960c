package dev.skep.orchestrator.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Constraint;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.NodeRecord;
import dev.skep.state.Rows;
import dev.skep.state.Times;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TemplateRow;
import dev.skep.state.v1.Wait;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One service to be decided about: its spec, the state around it, the time, and the plan that grows. */
final class Case {
  private static final long DEFAULT_HISTORY = 5;

  private final ClusterState state;
  private final Instant now;
  private final Ids ids;
  private final EffectiveSpec spec;
  private final Plan plan;
  private final RestartTerms restart;
  private final Map<Long, TemplateRow> templates = new HashMap<>();

  Case(ClusterState state, Instant now, Ids ids, EffectiveSpec spec, Plan plan) {
    this.state = state;
    this.now = now;
    this.ids = ids;
    this.spec = spec;
    this.plan = plan;
    this.restart = RestartTerms.of(spec.template().getTask().getRestartPolicy());
  }

  ClusterState state() {
    return state;
  }

  Instant now() {
    return now;
  }

  EffectiveSpec spec() {
    return spec;
  }

  long template() {
    return spec.template().getNumber();
  }

  Ids ids() {
    return ids;
  }

  Plan plan() {
    return plan;
  }

  RestartTerms restart() {
    return restart;
  }

  /** How many tasks of a slot are kept, the current one included; negative: all. */
  long history() {
    if (restart.maxAttempts() > 0) {
      return restart.maxAttempts() + 1; // restarts are counted by looking at history
    }
    ClusterRow cluster = state.value(Rows.cluster());
    return cluster != null && cluster.getSpec().getOrchestration().hasTaskHistoryRetentionLimit()
        ? cluster.getSpec().getOrchestration().getTaskHistoryRetentionLimit()
        : DEFAULT_HISTORY;
  }

  /** The template that the task was made from; null when it is not kept any more. */
  TemplateRow templateOf(Task task) {
    long number = task.intent().getTemplate();
    return number == template() ? spec.template() : templates.computeIfAbsent(number, n -> state.value(Rows.template(spec.serviceId(), n)));
  }

  static List<String> constraints(TemplateRow template) {
    return template.getTask().getPlacement().getConstraintsList();
  }

  /** Whether the service as it is now may run on the node. */
  boolean fits(NodeRecord node) {
    return Constraint.allMatch(constraints(spec.template()), node);
  }

  /** A task for a free slot. */
  Task create(Slot slot) {
    return create(slot, TaskState.TASK_RUNNING, null, null);
  }

  /** A task that takes the place of another one; the wait is that of a restart, null for any other reason. */
  Task replace(Slot slot, Task old, Wait startAfter) {
    boolean atOnce = slot.clear() && (startAfter == null || startAfter.getDurationNanos() == 0);
    return create(slot, atOnce ? TaskState.TASK_RUNNING : TaskState.TASK_READY, old, startAfter);
  }

  Task create(Slot slot, TaskState desired, Task replaces, Wait startAfter) {
    TaskIntentRow.Builder intent =
        TaskIntentRow.newBuilder()
            .setId(ids.next())
            .setServiceId(spec.serviceId())
            .setServiceName(spec.request().getName())
            .setTemplate(template())
            .setDesired(desired)
            .setCreatedAt(Times.of(now))
            .setUpdatedAt(Times.of(now));
    if (spec.global()) {
      intent.setNodeId(slot.key());
    } else {
      intent.setSlot(Long.parseLong(slot.key()));
    }
    if (replaces != null) {
      intent.setReplaces(replaces.id());
    }
    if (startAfter != null) {
      intent.setStartAfter(startAfter);
    }
    Task task = Task.fresh(intent.build());
    slot.add(task);
    return task;
  }
}
