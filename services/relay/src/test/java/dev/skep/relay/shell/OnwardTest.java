package dev.skep.relay.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class OnwardTest {
  private static final class Wall extends Clock {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }

  @Test
  void itDoesNotFollowAWallClockThatIsSet() {
    Wall wall = new Wall();
    Instant began = wall.now;
    Onward onward = new Onward(wall);
    for (Duration jump : new Duration[] {Duration.ofHours(1), Duration.ofHours(-2)}) {
      Instant before = onward.instant();
      wall.now = wall.now.plus(jump);
      assertThat(onward.instant()).isBetween(before, began.plus(Duration.ofMinutes(30)));
    }
  }
}
