package dev.skep.orchestrator.core;

import dev.skep.state.NodeRecord;
import dev.skep.state.v1.TaskState;

/** Keeps one task on every node that fits: the slot is the node. */
final class Global {
  private Global() {}

  static void decide(Case service, Slot slot) {
    NodeRecord node = NodeRecord.find(service.state(), slot.key());
    if (node == null) {
      slot.live().forEach(task -> task.want(TaskState.TASK_REMOVE, service.now()));
      return;
    }
    if (node.evicts() || !service.fits(node)) {
      slot.live().forEach(task -> task.want(TaskState.TASK_SHUTDOWN, service.now()));
      return;
    }
    slot.live().forEach(task -> Restarts.decide(service, slot, task));
    if (slot.live().isEmpty() && node.takesTasks()) {
      fill(service, slot);
    }
  }

  private static void fill(Case service, Slot slot) {
    Task last = slot.current();
    if (last == null) {
      service.create(slot);
    } else if (!finished(service, slot, last)) {
      service.replace(slot, last, null);
    }
  }

  /** It ended by itself, and the restart policy leaves it at that. */
  private static boolean finished(Case service, Slot slot, Task last) {
    boolean byItself =
        switch (last.reported()) {
          case TASK_COMPLETE, TASK_FAILED, TASK_REJECTED -> true;
          default -> false;
        };
    return byItself && !Restarts.wanted(service, slot, last);
  }
}
