package dev.skep.orchestrator.core;

import java.time.Duration;

/** The orchestrator's constants: swarm's own. */
final class Limits {
  /** A replacement waits no longer than this for its predecessor to stop. */
  static final Duration STOP_OF_PREDECESSOR = Duration.ofMinutes(1);

  /** How long an update watches what it started, unless the service says otherwise. */
  static final Duration UPDATE_MONITOR = Duration.ofSeconds(5);

  private Limits() {}
}
