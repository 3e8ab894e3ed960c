package dev.skep.orchestrator.core;

import dev.skep.state.Constraint;
import dev.skep.state.NodeRecord;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TemplateRow;

/**
 * Moves replicated tasks away from nodes that are down, drained, removed, or no longer what the task asked for. This is
 * no restart: neither the restart policy's condition nor its delay nor its attempts count here.
 */
final class Drain {
  private static final String NO_LONGER_FITS = "assigned node no longer meets constraints";

  private Drain() {}

  static void decide(Case service, Slot slot, Task task) {
    if (!task.placed() || !task.live()) {
      return;
    }
    if (!task.nodeRemoved() && !task.node().evicts()) {
      if (!task.node().takesTasks() || task.ended() || fits(service, task)) {
        return;
      }
      task.change(task.intent().toBuilder().setRejected(NO_LONGER_FITS), service.now());
    }
    task.want(TaskState.TASK_SHUTDOWN, service.now());
    if (!slot.succeeded(task)) {
      service.replace(slot, task, null);
    }
  }

  private static boolean fits(Case service, Task task) {
    TemplateRow template = service.templateOf(task);
    NodeRecord node = task.node();
    return template == null || Constraint.allMatch(Case.constraints(template), node);
  }
}
