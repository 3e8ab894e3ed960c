package dev.skep.orchestrator.core;

import dev.skep.api.v1.UpdateConfig;
import dev.skep.state.v1.ServiceRow;
import java.time.Duration;

/**
 * How an update proceeds, with the defaults filled in. {@code parallelism} 0: all at once. Of the failure actions
 * {@code rollback} is not built yet; the API refuses it, and here it pauses.
 */
record RolloutPolicy(long parallelism, Duration delay, Duration monitor, boolean startFirst, boolean pauseOnFailure, float maxFailureRatio) {

  static RolloutPolicy of(ServiceRow service) {
    if (!service.getCurrent().hasUpdateConfig()) {
      return new RolloutPolicy(1, Duration.ZERO, Limits.UPDATE_MONITOR, false, true, 0);
    }
    UpdateConfig config = service.getCurrent().getUpdateConfig();
    Duration delay = Duration.ofNanos(config.getDelay());
    Duration monitor = config.getMonitor() == 0 ? Limits.UPDATE_MONITOR : Duration.ofNanos(config.getMonitor());
    return new RolloutPolicy(
        config.getParallelism(),
        delay,
        delay.compareTo(monitor) >= 0 ? delay.plusSeconds(1) : monitor,
        config.getOrder().equals("start-first"),
        !config.getFailureAction().equals("continue"),
        config.getMaxFailureRatio());
  }
}
