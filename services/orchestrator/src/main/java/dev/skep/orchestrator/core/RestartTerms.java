package dev.skep.orchestrator.core;

import dev.skep.api.v1.RestartPolicy;
import dev.skep.state.v1.TaskState;
import java.time.Duration;

/** A service's restart policy with the defaults filled in. {@code maxAttempts} 0: no limit; {@code window} zero: all of history counts. */
record RestartTerms(Condition condition, Duration delay, long maxAttempts, Duration window) {
  private static final Duration DEFAULT_DELAY = Duration.ofSeconds(5);

  enum Condition {
    NONE,
    ON_FAILURE,
    ANY
  }

  static RestartTerms of(RestartPolicy policy) {
    Condition condition =
        switch (policy.getCondition()) {
          case "none" -> Condition.NONE;
          case "on-failure" -> Condition.ON_FAILURE;
          default -> Condition.ANY;
        };
    Duration delay = policy.hasDelay() ? Duration.ofNanos(policy.getDelay()) : DEFAULT_DELAY;
    return new RestartTerms(condition, delay, policy.getMaxAttempts(), Duration.ofNanos(policy.getWindow()));
  }

  /** Whether a task that ended so is one to be restarted, attempts aside. */
  boolean covers(TaskState end) {
    return switch (condition) {
      case NONE -> false;
      case ON_FAILURE -> end != TaskState.TASK_COMPLETE;
      case ANY -> true;
    };
  }
}
