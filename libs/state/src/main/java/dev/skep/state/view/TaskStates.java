package dev.skep.state.view;

import dev.skep.state.v1.TaskState;
import java.util.Locale;
import java.util.Optional;

/** Task states and the words that the API has for them: {@code TASK_RUNNING} is {@code running}. */
public final class TaskStates {
  private static final String PREFIX = "TASK_";

  private TaskStates() {}

  public static String text(TaskState state) {
    return switch (state) {
      case UNRECOGNIZED -> throw new IllegalArgumentException("a task state of a newer version");
      case TASK_NEW, TASK_PENDING, TASK_ASSIGNED, TASK_ACCEPTED, TASK_PREPARING, TASK_READY, TASK_STARTING, TASK_RUNNING,
          TASK_COMPLETE, TASK_SHUTDOWN, TASK_FAILED, TASK_REJECTED, TASK_REMOVE, TASK_ORPHANED ->
          state.name().substring(PREFIX.length()).toLowerCase(Locale.ROOT);
    };
  }

  /**
   * The state that a word means, in any case; {@code allocated}, which Docker still accepts as a word, is pending here.
   * Empty for a word that is none.
   */
  public static Optional<TaskState> of(String word) {
    String name = word.toLowerCase(Locale.ROOT);
    if (name.equals("allocated")) {
      return Optional.of(TaskState.TASK_PENDING);
    }
    for (TaskState state : TaskState.values()) {
      if (state != TaskState.UNRECOGNIZED && text(state).equals(name)) {
        return Optional.of(state);
      }
    }
    return Optional.empty();
  }
}
