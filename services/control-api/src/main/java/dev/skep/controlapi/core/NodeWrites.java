package dev.skep.controlapi.core;

import dev.skep.api.v1.NodeSpec;
import dev.skep.certificates.v1.AdmitRequest;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.view.NodeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a request about a node writes. */
public final class NodeWrites {
  private NodeWrites() {}

  /** A node that joins. Answers its id. */
  public static Answer<Planned<String>> admit(ClusterState state, AdmitRequest request, Tick tick) {
    Optional<ApiError> refusal = ClusterWrites.availability(request.getAvailability());
    if (refusal.isPresent()) {
      return Answer.refused(refusal.get());
    }
    if (!state.has(Rows.cluster())) {
      return Answer.refused(ApiError.notInSwarm());
    }
    String id = request.getNodeId();
    if (state.has(Rows.NODE_SPEC.key(id))) {
      return Answer.refused(ApiError.plain(ApiError.Code.ALREADY_EXISTS, "node " + id + " is taken"));
    }
    String availability = request.getAvailability().isEmpty() ? "active" : request.getAvailability();
    NodeSpecRow row = NodeSpecRow.newBuilder()
        .setId(id)
        .setCreatedAt(Times.of(tick.now()))
        .setUpdatedAt(Times.of(tick.now()))
        .setSpec(NodeSpec.newBuilder().setRole(request.getRole()).setAvailability(availability))
        .build();
    return Planned.of(id, ChangeSet.about(id).present(Rows.cluster()).absent(Rows.NODE_SPEC.key(id)).put(Rows.NODE_SPEC.key(id), row));
  }

  /**
   * Answers the node's id.
   *
   * @param shared several managers can use the cluster's store
   */
  public static Answer<Planned<String>> update(ClusterState state, String id, long version, NodeSpec asked, boolean shared, Tick tick) {
    Row<NodeSpecRow> node = state.row(Rows.NODE_SPEC.key(id));
    if (node == null) {
      return Answer.refused(ApiError.notFound(ObjectKind.NODE, id));
    }
    Optional<ApiError> refusal = refusal(state, NodeRecord.find(state, id), asked, shared);
    if (refusal.isPresent()) {
      return Answer.refused(refusal.get());
    }
    long shown = NodeView.of(state, id).orElseThrow().getVersion().getIndex();
    if (!Versions.inSequence(version, shown, node.modRevision())) {
      return Answer.refused(ApiError.outOfSequence());
    }
    NodeSpec.Builder spec = asked.toBuilder();
    spec.setRole(asked.getRole().isEmpty() ? node.value().getSpec().getRole() : asked.getRole());
    spec.setAvailability(asked.getAvailability().isEmpty() ? node.value().getSpec().getAvailability() : asked.getAvailability());
    NodeSpecRow row = node.value().toBuilder().setSpec(spec).setUpdatedAt(Times.of(tick.now())).build();
    ChangeSet.Builder change = ChangeSet.about(id).unmodified(node).put(node.key(), row);
    if (manages(node.value()) && !manages(row)) {
      // Of two managers that demote each other at the same moment one stays.
      managers(state).stream().filter(other -> !other.key().equals(node.key())).forEach(change::unmodified);
    }
    return Planned.of(id, change);
  }

  private static Optional<ApiError> refusal(ClusterState state, NodeRecord node, NodeSpec asked, boolean shared) {
    Optional<ApiError> availability = ClusterWrites.availability(asked.getAvailability());
    if (availability.isPresent()) {
      return availability;
    }
    return switch (asked.getRole()) {
      case "" -> Optional.empty();
      case "manager" -> manages(node.spec()) ? Optional.empty() : promotion(node, shared);
      case "worker" -> manages(node.spec()) ? demotion(state, node.id()) : Optional.empty();
      default -> Optional.of(ApiError.badRequest("invalid Role: " + GoText.quoted(asked.getRole())));
    };
  }

  private static Optional<ApiError> promotion(NodeRecord node, boolean shared) {
    if (!shared) {
      return Optional.of(ApiError.secondManager());
    }
    String reason = node.status().getLeft() ? "it has left the cluster" : node.status().getCannotManage();
    return reason.isEmpty() ? Optional.empty() : Optional.of(ApiError.cannotManage(node.id(), reason));
  }

  private static Optional<ApiError> demotion(ClusterState state, String id) {
    List<Row<NodeSpecRow>> others = managers(state).stream().filter(row -> !row.key().lastPart().equals(id)).toList();
    if (others.isEmpty()) {
      return Optional.of(ApiError.demoteLastManager());
    }
    boolean oneAnswers = others.stream().map(row -> NodeRecord.find(state, row.key().lastPart())).anyMatch(node -> node.managerAnswers(state));
    // One that does not answer itself, or never became one, can be demoted by whoever is left.
    return oneAnswers || !NodeRecord.find(state, id).managerAnswers(state) ? Optional.empty() : Optional.of(ApiError.demoteLastReachable());
  }

  private static boolean manages(NodeSpecRow node) {
    return node.getSpec().getRole().equals("manager");
  }

  /** The rows of all managers. */
  public static List<Row<NodeSpecRow>> managers(ClusterState state) {
    List<Row<NodeSpecRow>> managers = new ArrayList<>();
    for (Row<NodeSpecRow> row : state.rows(Rows.NODE_SPEC)) {
      if (manages(row.value())) {
        managers.add(row);
      }
    }
    return managers;
  }

  /** Answers the id. */
  public static Answer<Planned<String>> remove(ClusterState state, String id, boolean force) {
    NodeRecord node = NodeRecord.find(state, id);
    if (node == null) {
      return Answer.refused(ApiError.notFound(ObjectKind.NODE, id));
    }
    if (manages(node.spec())) {
      return Answer.refused(ApiError.removeManager(id));
    }
    boolean seen = !node.status().getState().isEmpty(); // one that never came is nobody's loss
    if (seen && !node.down() && !force) {
      return Answer.refused(ApiError.nodeNotDown(id));
    }
    return Planned.of(id, ChangeSet.about(id).unmodified(state.row(Rows.NODE_SPEC.key(id))).delete(Rows.NODE_SPEC.key(id)));
  }
}
