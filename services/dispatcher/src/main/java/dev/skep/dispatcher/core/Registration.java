package dev.skep.dispatcher.core;

import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.SessionRow;
import java.time.Instant;
import java.util.Optional;

/** The rows of a node's session and of what the node says about itself. */
public final class Registration {
  private Registration() {}

  /** With a dispatcher that has no peers. */
  public static Optional<ChangeSet> open(ClusterState state, SessionKey session, String dispatcherId, NodeReport report, Instant now) {
    return open(state, session, DispatcherRow.newBuilder().setId(dispatcherId).build(), report, now);
  }

  /** Opens a session and takes the node back into life; empty when the cluster has no such node. */
  public static Optional<ChangeSet> open(ClusterState state, SessionKey session, DispatcherRow dispatcher, NodeReport report, Instant now) {
    if (!state.has(Rows.NODE_SPEC.key(session.nodeId()))) {
      return Optional.empty();
    }
    SessionRow row =
        SessionRow.newBuilder()
            .setNodeId(session.nodeId())
            .setSessionId(session.sessionId())
            .setDispatcher(dispatcher.getAddress())
            .setDispatcherId(dispatcher.getId())
            .setOpenedAt(Stamp.of(now))
            .build();
    ChangeSet.Builder change =
        unchanged(ChangeSet.about(session.nodeId()), state, Rows.SESSION.key(session.nodeId()))
            .present(Rows.NODE_SPEC.key(session.nodeId()))
            .put(Rows.SESSION.key(session.nodeId()), row);
    NodeStatusRow before = state.value(Rows.NODE_STATUS.key(session.nodeId()));
    NodeStatusRow.Builder status = described(before, session.nodeId(), report).setState(NodeLife.READY.state()).clearMessage().clearUnknownTasks().clearBackWithinNanos();
    if (differs(before, status)) {
      unchanged(change, state, Rows.NODE_STATUS.key(session.nodeId()))
          .put(Rows.NODE_STATUS.key(session.nodeId()), status.setUpdatedAt(Stamp.of(now)).build());
    }
    return Optional.of(change.build());
  }

  /** A later report; empty when it says nothing new. Empty also when the session is over. */
  public static Optional<ChangeSet> report(ClusterState state, SessionKey session, NodeReport report, Instant now) {
    Row<SessionRow> sessionRow = session.row(state);
    NodeStatusRow before = state.value(Rows.NODE_STATUS.key(session.nodeId()));
    NodeStatusRow.Builder status = described(before, session.nodeId(), report);
    if (sessionRow == null || !differs(before, status)) {
      return Optional.empty();
    }
    return Optional.of(
        unchanged(ChangeSet.about(session.nodeId()), state, Rows.NODE_STATUS.key(session.nodeId()))
            .unmodified(sessionRow)
            .present(Rows.NODE_SPEC.key(session.nodeId()))
            .put(Rows.NODE_STATUS.key(session.nodeId()), status.setUpdatedAt(Stamp.of(now)).build())
            .build());
  }

  /** The node leaves for good: it is down, and its id is used up. Empty when there is nothing to write. */
  public static Optional<ChangeSet> leave(ClusterState state, String nodeId, Instant now) {
    NodeStatusRow before = state.value(Rows.NODE_STATUS.key(nodeId));
    if (!state.has(Rows.NODE_SPEC.key(nodeId)) || (before != null && before.getLeft())) {
      return Optional.empty();
    }
    NodeStatusRow status = (before == null ? NodeStatusRow.newBuilder().setNodeId(nodeId) : before.toBuilder())
        .setState(NodeLife.DOWN.state())
        .setMessage("the node has left the cluster")
        .setLeft(true)
        .setUpdatedAt(Stamp.of(now))
        .build();
    ChangeSet.Builder change = unchanged(ChangeSet.about(nodeId), state, Rows.NODE_STATUS.key(nodeId))
        .present(Rows.NODE_SPEC.key(nodeId))
        .put(Rows.NODE_STATUS.key(nodeId), status);
    if (state.has(Rows.SESSION.key(nodeId))) {
      unchanged(change, state, Rows.SESSION.key(nodeId)).delete(Rows.SESSION.key(nodeId));
    }
    return Optional.of(change.build());
  }

  /** Whether the node said that it will never come back. */
  public static boolean left(ClusterState state, String nodeId) {
    NodeStatusRow status = state.value(Rows.NODE_STATUS.key(nodeId));
    return status != null && status.getLeft();
  }

  /** Rows are read, then written as a whole: the judge writes node rows, too, and a lost commit may land late. */
  private static ChangeSet.Builder unchanged(ChangeSet.Builder change, ClusterState state, Key<?> key) {
    Row<?> row = state.row(key);
    return row == null ? change.absent(key) : change.unmodified(row);
  }

  private static NodeStatusRow.Builder described(NodeStatusRow before, String nodeId, NodeReport report) {
    NodeStatusRow.Builder status = before == null ? NodeStatusRow.newBuilder().setState(NodeLife.READY.state()) : before.toBuilder();
    return status
        .setNodeId(nodeId)
        .setDescription(report.getDescription())
        .setAddr(report.getAdvertiseAddr())
        .setDataPathAddr(report.getDataPathAddr())
        .setManagerAddr(report.getManagerAddr())
        .setEngineProblem(report.getEngineProblem())
        .setCannotManage(report.getCannotManage())
        .clearRoutes()
        .addAllRoutes(report.getRoutesList())
        .clearNetworkIds()
        .addAllNetworkIds(report.getNetworkIdsList())
        .clearPortProblems()
        .addAllPortProblems(report.getPortProblemsList())
        .clearNetworkProblems()
        .addAllNetworkProblems(report.getNetworkProblemsList());
  }

  private static boolean differs(NodeStatusRow before, NodeStatusRow.Builder status) {
    return before == null || !before.toBuilder().clearUpdatedAt().build().equals(status.clone().clearUpdatedAt().build());
  }
}
