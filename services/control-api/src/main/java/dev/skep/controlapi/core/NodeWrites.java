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

  /** Answers the node's id. */
  public static Answer<Planned<String>> update(ClusterState state, String id, long version, NodeSpec asked, Tick tick) {
    Row<NodeSpecRow> node = state.row(Rows.NODE_SPEC.key(id));
    if (node == null) {
      return Answer.refused(ApiError.notFound(ObjectKind.NODE, id));
    }
    Optional<ApiError> refusal = refusal(state, node.value().getSpec(), asked);
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
    return Planned.of(id, ChangeSet.about(id).unmodified(node).put(node.key(), row));
  }

  private static Optional<ApiError> refusal(ClusterState state, NodeSpec before, NodeSpec asked) {
    Optional<ApiError> availability = ClusterWrites.availability(asked.getAvailability());
    if (availability.isPresent()) {
      return availability;
    }
    boolean manages = before.getRole().equals("manager");
    return switch (asked.getRole()) {
      case "" -> Optional.empty();
      case "manager" -> manages ? Optional.empty() : Optional.of(ApiError.secondManager());
      case "worker" -> manages && managers(state) == 1 ? Optional.of(ApiError.demoteLastManager()) : Optional.empty();
      default -> Optional.of(ApiError.badRequest("invalid Role: " + GoText.quoted(asked.getRole())));
    };
  }

  private static int managers(ClusterState state) {
    int managers = 0;
    for (Row<NodeSpecRow> row : state.rows(Rows.NODE_SPEC)) {
      managers += row.value().getSpec().getRole().equals("manager") ? 1 : 0;
    }
    return managers;
  }

  /** Answers the id. */
  public static Answer<Planned<String>> remove(ClusterState state, String id, boolean force) {
    NodeRecord node = NodeRecord.find(state, id);
    if (node == null) {
      return Answer.refused(ApiError.notFound(ObjectKind.NODE, id));
    }
    if (node.spec().getSpec().getRole().equals("manager")) {
      return Answer.refused(ApiError.removeManager(id));
    }
    boolean seen = !node.status().getState().isEmpty(); // one that never came is nobody's loss
    if (seen && !node.down() && !force) {
      return Answer.refused(ApiError.nodeNotDown(id));
    }
    return Planned.of(id, ChangeSet.about(id).unmodified(state.row(Rows.NODE_SPEC.key(id))).delete(Rows.NODE_SPEC.key(id)));
  }
}
