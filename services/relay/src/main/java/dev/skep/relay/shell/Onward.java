package dev.skep.relay.shell;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;

/**
 * A clock that begins with the wall clock's time and only goes on. How long the log has been away is not what the wall
 * clock says: set an hour ahead, it would make the store forget what the log does not have yet.
 */
final class Onward extends Clock {
  private final Clock wall;
  private final Instant began;
  private final long beganNanos;

  Onward(Clock wall) {
    this.wall = wall;
    this.began = wall.instant();
    this.beganNanos = System.nanoTime();
  }

  @Override
  public ZoneId getZone() {
    return wall.getZone();
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return this;
  }

  @Override
  public Instant instant() {
    return began.plusNanos(System.nanoTime() - beganNanos);
  }
}
