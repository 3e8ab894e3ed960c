package dev.skep.agent.shell;

import java.time.Duration;
import java.time.Instant;

/** When the engine was last away: what ended then ended with it. */
record Outage(Instant from, Instant to) {
  static final Outage NONE = new Outage(Instant.MAX, Instant.MAX);
  /** Containers are ended before the engine's last event is lost, and found ended a little after it is back. */
  private static final Duration BEFORE = Duration.ofSeconds(3);

  boolean covers(Instant instant) {
    return !from.equals(Instant.MAX) && !instant.isBefore(from.equals(Instant.MIN) ? from : from.minus(BEFORE)) && !instant.isAfter(to);
  }
}
