package dev.skep.dispatcher.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.SessionRow;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The silence of a node whose process said that it starts again: for so long it is nobody's end. It keeps its traffic and gets
 * no new tasks. Its next session takes the promise back.
 */
public final class Pause {
  /** More than a start takes on a machine that is busy; a host that dies meanwhile is missed for so long. */
  static final Duration LONGEST = Duration.ofSeconds(30);

  private Pause() {}

  /** How long the node may be silent; zero when nothing was said. */
  static Duration granted(NodeStatusRow row) {
    Duration asked = Duration.ofNanos(Math.max(0, row.getBackWithinNanos()));
    return asked.compareTo(LONGEST) > 0 ? LONGEST : asked;
  }

  /** Writes the promise down; empty when the session is over. */
  public static Optional<ChangeSet> promised(ClusterState state, SessionKey session, Duration backWithin, Instant now) {
    Row<SessionRow> own = session.row(state);
    Row<NodeStatusRow> status = state.row(Rows.NODE_STATUS.key(session.nodeId()));
    if (own == null || status == null) {
      return Optional.empty();
    }
    return Optional.of(ChangeSet.about(session.nodeId())
        .unmodified(own)
        .unmodified(status)
        .present(Rows.NODE_SPEC.key(session.nodeId()))
        .put(Rows.NODE_STATUS.key(session.nodeId()),
            status.value().toBuilder().setBackWithinNanos(backWithin.toNanos()).setUpdatedAt(Stamp.of(now)).build())
        .build());
  }
}
