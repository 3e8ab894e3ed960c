package dev.skep.agent.core;

import dev.skep.state.v1.TaskState;

/** Where the cluster wants a task of this node to go. */
public enum Goal {
  /** Prepared, but not started yet. */
  READY,
  RUN,
  /** Stopped; the container stays for its logs. */
  STOP,
  /** Stopped, and the container may go. */
  REMOVE,
  /** The task left the node's assignments: nothing of it may stay, and nobody wants to hear of it. */
  GONE;

  public static Goal of(TaskState desired) {
    return switch (desired) {
      case TASK_NEW, TASK_PENDING, TASK_ASSIGNED, TASK_ACCEPTED, TASK_PREPARING, TASK_READY -> READY;
      case TASK_STARTING, TASK_RUNNING, TASK_COMPLETE -> RUN;
      case TASK_SHUTDOWN, TASK_FAILED, TASK_REJECTED, TASK_ORPHANED -> STOP;
      case TASK_REMOVE -> REMOVE;
      case UNRECOGNIZED -> STOP;
    };
  }
}
