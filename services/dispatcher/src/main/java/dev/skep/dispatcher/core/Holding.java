package dev.skep.dispatcher.core;

import dev.skep.dispatcher.v1.DispatcherNews;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.SessionRow;
import java.util.Map;
import java.util.Optional;

/** Which dispatcher holds a node's session, where there are several. */
public final class Holding {
  private Holding() {}

  /** The dispatcher that holds the node's session, when it is another one and lives. */
  public static Optional<DispatcherRow> elsewhere(ClusterState state, String nodeId, String me) {
    SessionRow session = state.value(Rows.SESSION.key(nodeId));
    if (session == null || session.getDispatcherId().isEmpty() || session.getDispatcherId().equals(me)) {
      return Optional.empty();
    }
    return Optional.ofNullable(state.value(Rows.PEER.key(session.getDispatcherId())));
  }

  /** Whether the session's row names this dispatcher. */
  public static boolean here(ClusterState state, String nodeId, String me) {
    SessionRow session = state.value(Rows.SESSION.key(nodeId));
    return session != null && session.getDispatcherId().equals(me);
  }

  /** The feed revision that the node has applied, as the dispatcher that holds its session tells; 0 when it has not told yet. */
  public static long applied(ClusterState state, String nodeId, String epoch, Map<String, DispatcherNews> news) {
    Row<SessionRow> session = state.row(Rows.SESSION.key(nodeId));
    DispatcherNews told = session == null ? null : news.get(session.value().getDispatcherId());
    // What it told before it knew of this session says nothing about this node.
    return told != null && told.getEpoch().equals(epoch) && told.getRevision() >= session.modRevision() ? told.getApplied() : 0;
  }
}
