package dev.skep.dispatcher.core;

import dev.skep.dispatcher.v1.DispatcherNews;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.SessionRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

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

  /** What the state makes of a node at one dispatcher. */
  public enum Fate {
    /** It goes on as it is. */
    STAYS,
    /** The node was removed: its session ends, and nothing is remembered of it. */
    REMOVED,
    /** Its session here was replaced, here or elsewhere. */
    OVER,
    /** It has no session here, and another dispatcher judges it. */
    ELSEWHERE
  }

  /**
   * @param session the node's session with this dispatcher; null when it has none
   * @param served whether the state is new enough to speak for that session
   */
  public static Fate fate(ClusterState state, String nodeId, String me, SessionKey session, boolean served) {
    if (!state.has(Rows.NODE_SPEC.key(nodeId))) {
      return Fate.REMOVED;
    }
    if (session != null) {
      return served && !session.open(state) ? Fate.OVER : Fate.STAYS;
    }
    return elsewhere(state, nodeId, me).isPresent() ? Fate.ELSEWHERE : Fate.STAYS;
  }

  /**
   * The feed revision that each living node has applied, as far as is known here: what withdrawals wait for.
   *
   * @param here of a node whose session is with this dispatcher or with none that lives; empty when it takes no feed
   * @param news what the other dispatchers told last
   */
  public static List<Long> applied(ClusterState state, String me, Function<String, Optional<Long>> here, Map<String, DispatcherNews> news) {
    String epoch = Assignments.epoch(state);
    List<Long> applied = new ArrayList<>();
    for (Row<NodeStatusRow> row : state.rows(Rows.NODE_STATUS)) {
      String node = row.key().lastPart();
      if (NodeLife.of(row.value()) == NodeLife.READY) {
        boolean elsewhere = elsewhere(state, node, me).isPresent();
        (elsewhere ? Optional.of(applied(state, node, epoch, news)) : here.apply(node)).ifPresent(applied::add);
      }
    }
    return applied;
  }

  /** For the other dispatchers: how far all living nodes are whose session is with this one. */
  public static long appliedHere(ClusterState state, String me, Function<String, Optional<Long>> here) {
    long least = Long.MAX_VALUE;
    for (Row<NodeStatusRow> row : state.rows(Rows.NODE_STATUS)) {
      String node = row.key().lastPart();
      if (NodeLife.of(row.value()) == NodeLife.READY && here(state, node, me)) {
        least = Math.min(least, here.apply(node).orElse(Long.MAX_VALUE));
      }
    }
    return least;
  }

  /** The feed revision that the node has applied, as the dispatcher that holds its session tells; 0 when it has not told yet. */
  public static long applied(ClusterState state, String nodeId, String epoch, Map<String, DispatcherNews> news) {
    Row<SessionRow> session = state.row(Rows.SESSION.key(nodeId));
    DispatcherNews told = session == null ? null : news.get(session.value().getDispatcherId());
    // What it told before it knew of this session says nothing about this node.
    boolean knows = told != null && told.getEpoch().equals(epoch) && told.getRevision() >= session.modRevision();
    // Nor about what came after it spoke: the node may not have counted then, because it was silent.
    return knows ? Math.min(told.getApplied(), told.getRevision()) : 0;
  }
}
