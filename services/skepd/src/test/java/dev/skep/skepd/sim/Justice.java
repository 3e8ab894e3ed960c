package dev.skep.skepd.sim;

import dev.skep.dispatcher.core.NodeLife;
import dev.skep.dispatcher.core.Silence;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.Write;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.Violation;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * Nobody is accused of a silence that was the judge's own: what counts is only time in which the judge could listen,
 * measured by the world's clock, whatever the judge's clock shows.
 */
final class Justice {
  private final SimProcess judge;
  private final Duration since;
  private final Map<String, Duration> heard = new HashMap<>();

  Justice(SimProcess judge) {
    this.judge = judge;
    this.since = judge.awake();
  }

  void heard(String nodeId) {
    heard.put(nodeId, judge.awake());
  }

  /** Until now somebody else listened to it. */
  void notMine(String nodeId) {
    heard.put(nodeId, judge.awake());
  }

  void judged(ClusterState state, Decision decision) {
    for (ChangeSet change : decision.changes()) {
      for (Write write : change.writes()) {
        if (write instanceof Write.Put<?> put && put.value() instanceof NodeStatusRow row) {
          judged(state, row);
        }
      }
    }
  }

  private void judged(ClusterState state, NodeStatusRow row) {
    Silence limits = Silence.of(state);
    Duration silence = judge.awake().minus(heard.getOrDefault(row.getNodeId(), since));
    Duration needed = switch (NodeLife.of(row)) {
      case READY -> Duration.ZERO;
      case UNKNOWN, DISCONNECTED -> limits.suspect();
      case DOWN -> limits.grace();
    };
    // A clock that jumps by less than a tick shows nothing that could be noticed.
    if (silence.plus(limits.tick()).compareTo(needed) < 0) {
      throw new Violation(row.getNodeId() + " is said to be " + row.getState() + " after a silence of " + silence.toMillis() + " ms: "
          + row.getMessage());
    }
  }
}
