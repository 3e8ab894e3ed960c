package dev.skep.controlapi.core;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.PortConfig;
import dev.skep.state.ClusterState;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRow;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Published ports that another service has. An ingress port is taken on every node; two host-mode ports are no conflict
 * here, because their tasks may be on different nodes: the scheduler keeps them apart.
 */
public final class PortConflicts {
  private PortConflicts() {}

  /** @param selfId the service that is being updated, empty for a new one */
  public static Optional<ApiError> check(ClusterState state, EndpointSpec endpoint, String selfId) {
    Map<String, String> asked = new HashMap<>();
    for (PortConfig port : endpoint.getPortsList()) {
      if (port.getPublishedPort() != 0) {
        asked.put(name(port), port.getPublishMode());
      }
    }
    if (asked.isEmpty()) {
      return Optional.empty();
    }
    for (Row<ServiceRow> row : state.rows(Rows.SERVICE)) {
      String id = row.key().lastPart();
      if (!id.equals(selfId)) {
        Optional<ApiError> conflict = with(state, EffectiveSpec.of(state, id), asked);
        if (conflict.isPresent()) {
          return conflict;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<ApiError> with(ClusterState state, EffectiveSpec other, Map<String, String> asked) {
    ServiceEndpointRow given = state.value(Rows.ENDPOINT.key(other.serviceId()));
    // Dynamic ports have their number in the allocator's row only; a new request is not in that row yet.
    return among(other, other.template().getEndpoint().getPortsList(), asked)
        .or(() -> given == null ? Optional.empty() : among(other, given.getPortsList(), asked));
  }

  private static Optional<ApiError> among(EffectiveSpec other, List<PortConfig> ports, Map<String, String> asked) {
    for (PortConfig port : ports) {
      String mode = port.getPublishedPort() == 0 ? null : asked.get(name(port));
      boolean host = port.getPublishMode().equals("host");
      if (mode != null && !(host && mode.equals("host"))) {
        String how = host ? "a host-published port" : "an ingress port";
        return Optional.of(ApiError.portInUse(port.getPublishedPort(), other.request().getName(), other.serviceId(), how));
      }
    }
    return Optional.empty();
  }

  private static String name(PortConfig port) {
    return port.getProtocol() + "/" + port.getPublishedPort();
  }
}
