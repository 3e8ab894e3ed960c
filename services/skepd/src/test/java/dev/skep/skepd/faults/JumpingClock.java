package dev.skep.skepd.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** The machine's wall clock, moved by what a file says. The kernel cannot move it for one process; others share this machine. */
final class JumpingClock extends Clock {
  private static final long LOOK_NANOS = Duration.ofMillis(50).toNanos();

  private final Path file;
  private volatile Duration ahead = Duration.ZERO;
  private volatile long looked = System.nanoTime() - LOOK_NANOS;

  JumpingClock(Path file) {
    this.file = file;
  }

  /** Moves the clocks that read this file. */
  static void set(Path file, Duration ahead) throws IOException {
    Path next = file.resolveSibling(file.getFileName() + ".next");
    Files.writeString(next, ahead.toString());
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
  }

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
    if (System.nanoTime() - looked >= LOOK_NANOS) {
      looked = System.nanoTime();
      try {
        ahead = Duration.parse(Files.readString(file));
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
    return Instant.now().plus(ahead);
  }
}
