package dev.skep.state;

import com.google.protobuf.Timestamp;
import dev.skep.state.v1.Wait;
import java.time.Duration;
import java.time.Instant;

/** Times as rows hold them. */
public final class Times {
  private Times() {}

  public static Timestamp of(Instant instant) {
    return Timestamp.newBuilder().setSeconds(instant.getEpochSecond()).setNanos(instant.getNano()).build();
  }

  public static Instant of(Timestamp timestamp) {
    return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
  }

  /** A wait that begins now. */
  public static Wait waitFor(Duration duration, ClusterState state, Instant now) {
    return Wait.newBuilder()
        .setDecidedAtRevision(state.revision())
        .setDurationNanos(duration.toNanos())
        .setDue(of(now.plus(duration)))
        .build();
  }

  /**
   * The wait as it stands now: one that would last longer than its whole duration was written under a clock that ran
   * ahead, and begins anew.
   */
  public static Wait bounded(Wait wait, Instant now) {
    Instant latest = now.plusNanos(wait.getDurationNanos());
    return of(wait.getDue()).isAfter(latest) ? wait.toBuilder().setDue(of(latest)).build() : wait;
  }

  /**
   * When a wait ends that began with something that was written down, maybe by another host. A beginning that lies further
   * ahead than the whole wait was written under a clock that ran ahead: such a wait is over.
   */
  public static Instant end(Instant began, Duration wait, Instant now) {
    return began.isAfter(now.plus(wait)) ? now : began.plus(wait);
  }
}
