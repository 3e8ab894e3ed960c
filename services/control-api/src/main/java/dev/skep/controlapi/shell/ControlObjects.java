package dev.skep.controlapi.shell;

import dev.skep.control.v1.Kind;
import dev.skep.control.v1.Object;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.Filters;
import dev.skep.controlapi.core.References;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.view.NetworkView;
import dev.skep.state.view.NodeView;
import dev.skep.state.view.ServiceView;
import dev.skep.state.view.SwarmView;
import dev.skep.state.view.TaskView;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The API's objects as the gRPC service hands them out. */
final class ControlObjects {
  private ControlObjects() {}

  /** By its id. */
  static Optional<Object> byId(ClusterState state, Kind kind, String id) {
    Object.Builder object = Object.newBuilder();
    return switch (kind) {
      case SERVICE -> ServiceView.of(state, id).map(service -> object.setService(service).build());
      case TASK -> TaskView.of(state, id).map(task -> object.setTask(task).build());
      case NODE -> NodeView.of(state, id).map(node -> object.setNode(node).build());
      case NETWORK -> NetworkView.of(state, id).map(network -> object.setNetwork(network).build());
      case CLUSTER -> SwarmView.of(state).map(cluster -> object.setCluster(cluster).build());
      case KIND_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
    };
  }

  static Answer<String> resolve(ClusterState state, Kind kind, String reference) {
    return switch (kind) {
      case SERVICE -> References.service(state, reference);
      case TASK -> References.task(state, reference);
      case NODE -> References.node(state, reference);
      case NETWORK -> References.network(state, reference);
      case CLUSTER -> Answer.ok("default");
      case KIND_UNSPECIFIED, UNRECOGNIZED -> Answer.refused(noKind());
    };
  }

  static ApiError noKind() {
    return ApiError.badRequest("a kind of object must be named");
  }

  static Answer<List<Object>> list(ClusterState state, Kind kind, Map<String, Set<String>> filters) {
    return switch (kind) {
      case SERVICE ->
          Filters.services(filters, ServiceView.allWithStatus(state))
              .map(all -> all.stream().map(one -> Object.newBuilder().setService(one).build()).toList());
      case TASK -> Filters.tasks(state, filters, TaskView.all(state))
          .map(all -> all.stream().map(one -> Object.newBuilder().setTask(one).build()).toList());
      case NODE -> Filters.nodes(filters, NodeView.all(state))
          .map(all -> all.stream().map(one -> Object.newBuilder().setNode(one).build()).toList());
      case NETWORK ->
          Filters.networks(state, filters, NetworkView.all(state))
              .map(all -> all.stream().map(one -> Object.newBuilder().setNetwork(one).build()).toList());
      case CLUSTER -> Answer.ok(byId(state, kind, "default").stream().toList());
      case KIND_UNSPECIFIED, UNRECOGNIZED -> Answer.refused(noKind());
    };
  }

  /** The object of which this row is a part; empty for rows that are no part of any. */
  static Optional<Map.Entry<Kind, String>> partOf(Key<?> key) {
    String first = key.parts()[0];
    if (key.kind() == Rows.SERVICE || key.kind() == Rows.ROLLOUT || key.kind() == Rows.ENDPOINT) {
      return Optional.of(Map.entry(Kind.SERVICE, first));
    }
    if (key.kind() == Rows.INTENT || key.kind() == Rows.ADDRESS || key.kind() == Rows.PLACEMENT || key.kind() == Rows.STATUS) {
      return Optional.of(Map.entry(Kind.TASK, first));
    }
    if (key.kind() == Rows.NODE_SPEC || key.kind() == Rows.NODE_STATUS) {
      return Optional.of(Map.entry(Kind.NODE, first));
    }
    if (key.kind() == Rows.NETWORK || key.kind() == Rows.POOL) {
      return Optional.of(Map.entry(Kind.NETWORK, first));
    }
    return key.kind() == Rows.CLUSTER ? Optional.of(Map.entry(Kind.CLUSTER, first)) : Optional.empty();
  }
}
