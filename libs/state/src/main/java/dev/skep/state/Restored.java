package dev.skep.state;

import dev.skep.state.v1.ClusterRow;
import java.util.Optional;

/**
 * A cluster whose store was filled from a backup and which nobody has confirmed yet. Nodes may run what the copy does not
 * know, so until then the cluster only looks: nodes open sessions and report, and they are told nothing; loops decide
 * nothing. What runs goes on as it does without managers.
 */
public final class Restored {
  private Restored() {}

  public static boolean unconfirmed(ClusterState state) {
    ClusterRow cluster = state.value(Rows.cluster());
    return cluster != null && cluster.getOrigin().getUnconfirmed();
  }

  /** There is a cluster, and what its rows say is to be done. */
  public static boolean acts(ClusterState state) {
    ClusterRow cluster = state.value(Rows.cluster());
    return cluster != null && !cluster.getOrigin().getUnconfirmed();
  }

  /** The sentence for users; empty when nothing waits. */
  public static Optional<String> notice(ClusterState state) {
    return unconfirmed(state)
        ? Optional.of("restored from a backup of " + Times.of(state.value(Rows.cluster()).getOrigin().getCopiedAt())
            + ": nothing is started or stopped until 'skep restore --confirm'")
        : Optional.empty();
  }
}
