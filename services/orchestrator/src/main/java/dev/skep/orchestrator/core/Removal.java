package dev.skep.orchestrator.core;

import dev.skep.state.v1.TaskState;
import java.time.Instant;

/** What happens to the tasks of a service that is gone: all are ordered away, and forgotten when they have stopped. */
final class Removal {
  private Removal() {}

  static void decide(Slot slot, Instant now) {
    slot.tasks().forEach(task -> task.want(TaskState.TASK_REMOVE, now));
    Reaper.removeGone(slot);
  }
}
