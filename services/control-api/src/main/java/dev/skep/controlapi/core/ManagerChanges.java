package dev.skep.controlapi.core;

import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.SessionRow;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which hosts may use store and log: managers, and one that was demoted a moment ago and still has its node's session with
 * itself, because from there it hears of it. Without the store it could not.
 *
 * @param nodeIds those hosts
 * @param until when to look again, if nothing else happens
 */
public record ManagerChanges(Set<String> nodeIds, Optional<Instant> until) {
  static final Duration GRACE = Duration.ofSeconds(10);

  public static ManagerChanges of(ClusterState state, Instant now) {
    Set<String> staying = new TreeSet<>();
    Optional<Instant> until = Optional.empty();
    for (NodeRecord node : NodeRecord.all(state)) {
      Instant end = Times.instant(node.spec().getUpdatedAt()).plus(GRACE);
      if (node.spec().getSpec().getRole().equals("manager")) {
        staying.add(node.id());
      } else if (now.isBefore(end) && withItself(state, node.id())) {
        staying.add(node.id());
        until = until.filter(earlier -> earlier.isBefore(end)).or(() -> Optional.of(end));
      }
    }
    return new ManagerChanges(Set.copyOf(staying), until);
  }

  public static boolean manages(ClusterState state, String nodeId) {
    NodeRecord node = NodeRecord.find(state, nodeId);
    return node != null && node.spec().getSpec().getRole().equals("manager");
  }

  private static boolean withItself(ClusterState state, String nodeId) {
    SessionRow session = state.value(Rows.SESSION.key(nodeId));
    if (session == null || session.getDispatcherId().isEmpty()) {
      return false;
    }
    DispatcherRow dispatcher = state.value(Rows.PEER.key(session.getDispatcherId()));
    return dispatcher != null && dispatcher.getNodeId().equals(nodeId);
  }
}
