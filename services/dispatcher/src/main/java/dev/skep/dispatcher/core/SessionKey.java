package dev.skep.dispatcher.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.SessionRow;

/** A node's session. What a node reports lands only while the store still names this session. */
public record SessionKey(String nodeId, String sessionId) {

  /** The session's row, to be compared by every write; null when the session is over. */
  Row<SessionRow> row(ClusterState state) {
    Row<SessionRow> row = state.row(Rows.SESSION.key(nodeId));
    return row != null && row.value().getSessionId().equals(sessionId) ? row : null;
  }

  public boolean open(ClusterState state) {
    return row(state) != null;
  }
}
