package dev.skep.dispatcher.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.time.Duration;

/**
 * How long a silence means what, as a cluster setting: {@code HeartbeatPeriod} of the Docker API sets the grace to 0.6
 * of itself, and the finer times are parts of the grace. By default 250 ms, 750 ms and 3 s.
 */
public record Silence(Duration grace) {
  private static final Duration DEFAULT_PERIOD = Duration.ofSeconds(5);
  private static final Duration SHORTEST = Duration.ofMillis(300);
  private static final Duration LONGEST = Duration.ofHours(1);
  /** Agents pause between two attempts to come back, and an attempt takes some time. */
  private static final Duration COMING_BACK = Duration.ofSeconds(6);
  private static final int SUSPECT_PARTS = 4;
  private static final int BEAT_PARTS = 12;
  private static final int TICK_PARTS = 30;
  private static final int PANIC_GRACES = 3;
  private static final int FRESH_GRACES = 2;

  public Silence {
    grace = grace.compareTo(SHORTEST) < 0 ? SHORTEST : grace.compareTo(LONGEST) > 0 ? LONGEST : grace;
  }

  public static Silence of(ClusterState state) {
    ClusterRow cluster = state.value(Rows.cluster());
    long period = cluster == null ? 0 : cluster.getSpec().getDispatcher().getHeartbeatPeriod();
    return new Silence((period <= 0 ? DEFAULT_PERIOD : Duration.ofNanos(period)).multipliedBy(3).dividedBy(5));
  }

  /** Between two beats of a node. */
  public Duration beat() {
    return grace.dividedBy(BEAT_PARTS);
  }

  /** The same for a node whose agent lives in this process: nobody judges it by its beats, they only show its position. */
  public Duration beatInProcess() {
    return beat().multipliedBy(SUSPECT_PARTS);
  }

  /** Silent for so long: suspect. */
  public Duration suspect() {
    return grace.dividedBy(SUSPECT_PARTS);
  }

  /** Between two looks of the judge. */
  public Duration tick() {
    return grace.dividedBy(TICK_PARTS);
  }

  /** While the panic rule holds, a node is given up only after this. */
  Duration panicGrace() {
    return grace.multipliedBy(PANIC_GRACES);
  }

  /** A judge waits so long for nodes that never registered with it; not shorter than an agent may pause between two attempts. */
  Duration freshGrace() {
    Duration graces = grace.multipliedBy(FRESH_GRACES);
    return graces.compareTo(COMING_BACK) < 0 ? COMING_BACK : graces;
  }
}
