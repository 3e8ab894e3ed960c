package dev.skep.orchestrator.core;

import dev.skep.state.v1.TaskState;

/** Forgets tasks: those that were ordered away and are gone, and of the others all beyond what history keeps. */
final class Reaper {
  private Reaper() {}

  /** What no longer has a place in the cluster at all. */
  static void removeGone(Slot slot) {
    for (Task task : slot.tasks()) {
      if (!task.live() && gone(task)) {
        task.delete();
      }
    }
  }

  private static boolean gone(Task task) {
    return !task.placed() || task.nodeRemoved() || task.desired() == TaskState.TASK_REMOVE && task.ended();
  }

  /** The oldest ended tasks beyond the limit; the current one counts and is never taken. Those ordered away go by themselves. */
  static void trim(Slot slot, long history) {
    if (history < 0) {
      return;
    }
    Task current = slot.current();
    long kept = slot.tasks().stream().filter(Reaper::counts).count();
    for (Task task : slot.tasks()) {
      if (kept <= history) {
        return;
      }
      if (counts(task) && !task.live() && task.ended() && task != current) {
        task.delete();
        kept--;
      }
    }
  }

  private static boolean counts(Task task) {
    return !task.deleted() && task.desired() != TaskState.TASK_REMOVE;
  }
}
