package dev.skep.scheduler.core;

import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.Times;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** All nodes and what is taken on them, counted in one pass over the tasks. */
final class Board {
  private static final Duration FAILURES_COUNT_FOR = Duration.ofMinutes(5);

  private final ClusterState state;
  private final Map<String, Candidate> candidates = new TreeMap<>();
  private final Map<Template, Optional<Demand>> demands = new HashMap<>();

  private record Template(String serviceId, long number) {}

  Board(ClusterState state, Instant now) {
    this.state = state;
    for (NodeRecord node : NodeRecord.all(state)) {
      candidates.put(node.id(), new Candidate(node));
    }
    TaskRecord.forEach(state, task -> count(task, now));
  }

  private void count(TaskRecord task, Instant now) {
    Candidate candidate = candidates.get(task.nodeId());
    if (candidate == null) {
      return;
    }
    if (task.confirmedStopped()) {
      TaskStatusRow status = task.statusRow().value();
      boolean failed = status.getState() == TaskState.TASK_FAILED || status.getState() == TaskState.TASK_REJECTED;
      if (failed && Times.end(Times.of(status.getAppliedAt()), FAILURES_COUNT_FOR, now).isAfter(now)) {
        candidate.noteFailure(task.intent().getServiceId(), task.intent().getTemplate());
      }
      return;
    }
    Demand demand = demand(task.intent());
    if (demand != null) {
      candidate.occupy(demand, task.desired().getNumber() < TaskState.TASK_SHUTDOWN_VALUE);
    }
  }

  /** What the task asks for; null when its template is not stored. */
  Demand demand(TaskIntentRow intent) {
    return demands.computeIfAbsent(new Template(intent.getServiceId(), intent.getTemplate()), this::demand).orElse(null);
  }

  private Optional<Demand> demand(Template template) {
    TemplateRow row = state.value(Rows.template(template.serviceId, template.number));
    return Optional.ofNullable(row).map(Demand::of);
  }

  Collection<Candidate> candidates() {
    return candidates.values();
  }

  /** Null when the node was removed. */
  Candidate candidate(String nodeId) {
    return candidates.get(nodeId);
  }
}
