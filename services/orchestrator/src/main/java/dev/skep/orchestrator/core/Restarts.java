package dev.skep.orchestrator.core;

import dev.skep.state.Times;
import dev.skep.state.v1.TaskState;
import java.time.Instant;

/**
 * Restarts tasks that ended though they were meant to run. The replacement exists at once, so that it can be prepared
 * while it waits; attempts are counted by looking at the tasks that history keeps.
 */
final class Restarts {
  private Restarts() {}

  static void decide(Case service, Slot slot, Task task) {
    if (!task.ended() || !task.live()) {
      return;
    }
    if (task.desired() == TaskState.TASK_READY && task.intent().hasStartAfter()) {
      // It failed while it was still waiting for its time: the next attempt begins no earlier than this one would have.
      Instant due = Times.of(Times.bounded(task.intent().getStartAfter(), service.now()).getDue());
      if (due.isAfter(service.now())) {
        service.plan().wakeAt(due);
        return;
      }
    }
    task.want(TaskState.TASK_SHUTDOWN, service.now());
    if (!slot.succeeded(task) && wanted(service, slot, task)) {
      service.replace(slot, task, Times.waitFor(service.restart().delay(), service.state(), service.now()));
    }
  }

  /** Whether the policy asks for one more attempt after this task. */
  static boolean wanted(Case service, Slot slot, Task ended) {
    RestartTerms terms = service.restart();
    if (!terms.covers(ended.reported())) {
      return false;
    }
    if (terms.maxAttempts() == 0) {
      return true;
    }
    Instant since = terms.window().isZero() || ended.reportedAt() == null ? Instant.MIN : ended.reportedAt().minus(terms.window());
    long attempts =
        slot.tasks().stream()
            .filter(task -> task.desired() != TaskState.TASK_REMOVE) // of an earlier life of the slot
            .filter(task -> task.intent().hasStartAfter() && task.intent().getTemplate() == service.template())
            .filter(task -> Times.of(task.intent().getCreatedAt()).isAfter(since))
            .count();
    return attempts < terms.maxAttempts();
  }

  /** Lets waiting tasks go when their time has come and those before them have stopped. */
  static void startWaiting(Case service, Slot slot) {
    for (Task task : slot.live()) {
      if (task.desired() == TaskState.TASK_READY && !task.ended()) {
        start(service, slot, task);
      }
    }
  }

  private static void start(Case service, Slot slot, Task task) {
    Instant now = service.now();
    if (task.intent().hasStartAfter()) {
      var wait = Times.bounded(task.intent().getStartAfter(), now);
      if (!wait.equals(task.intent().getStartAfter())) {
        task.change(task.intent().toBuilder().setStartAfter(wait), now);
      }
      Instant due = Times.of(wait.getDue());
      if (due.isAfter(now)) {
        service.plan().wakeAt(due);
        return;
      }
    }
    Instant patience = Times.end(Times.of(task.intent().getCreatedAt()), Limits.STOP_OF_PREDECESSOR, now);
    if (slot.clear() || !patience.isAfter(now)) {
      task.want(TaskState.TASK_RUNNING, now);
    } else {
      service.plan().wakeAt(patience);
    }
  }
}
