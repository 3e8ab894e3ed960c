package dev.skep.controlapi.core;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.PortConfig;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** Published ports: who holds which. An explicit ingress port is a name that one service of the cluster has. */
final class PortClaims {
  /** Of one service. Each is two operations of the one transaction that makes the service. */
  static final int MOST = 40;

  private PortClaims() {}

  /** Why these ports cannot be had by the service; empty when they can. */
  static Optional<ApiError> conflict(ClusterState state, String serviceId, EndpointSpec wanted) {
    if (explicit(wanted).size() > MOST) {
      return Optional.of(ApiError.notBuilt("a service with more than " + MOST + " published ports", "split the service"));
    }
    for (Row<ServiceRow> row : state.rows(Rows.SERVICE)) {
      if (row.value().getId().equals(serviceId)) {
        continue;
      }
      EffectiveSpec other = EffectiveSpec.of(state, row.value().getId());
      for (PortConfig held : heldBy(state, other)) {
        for (PortConfig port : wanted.getPortsList()) {
          if (clash(port, held)) {
            String how = host(held) ? "a host-published port" : "an ingress port";
            return Optional.of(ApiError.portInUse(held.getPublishedPort(), other.request().getName(), row.value().getId(), how));
          }
        }
      }
    }
    return Optional.empty();
  }

  /** Ports that were asked for, and those that the allocator gave. */
  private static List<PortConfig> heldBy(ClusterState state, EffectiveSpec service) {
    List<PortConfig> held = new ArrayList<>(service.template().getEndpoint().getPortsList());
    ServiceEndpointRow endpoint = state.value(Rows.ENDPOINT.key(service.serviceId()));
    if (endpoint != null) {
      held.addAll(endpoint.getPortsList());
    }
    return held;
  }

  /** Two services may publish one port in host mode: the scheduler keeps their tasks on different nodes. */
  private static boolean clash(PortConfig wanted, PortConfig held) {
    return wanted.getPublishedPort() != 0
        && wanted.getPublishedPort() == held.getPublishedPort()
        && wanted.getProtocol().equals(held.getProtocol())
        && !(host(wanted) && host(held));
  }

  /** Takes the new ports and gives back those no longer wanted. */
  static void move(ClusterState state, String serviceId, EndpointSpec before, EndpointSpec after, ChangeSet.Builder change) {
    TreeMap<String, Key<NameRow>> had = explicit(before);
    TreeMap<String, Key<NameRow>> wants = explicit(after);
    wants.forEach(
        (path, key) -> {
          if (!had.containsKey(path) || !state.has(key)) {
            change.absent(key).put(key, NameRow.newBuilder().setId(serviceId).build());
          }
        });
    had.forEach(
        (path, key) -> {
          NameRow holder = state.value(key);
          if (!wants.containsKey(path) && holder != null && holder.getId().equals(serviceId)) {
            change.delete(key);
          }
        });
  }

  private static TreeMap<String, Key<NameRow>> explicit(EndpointSpec endpoint) {
    TreeMap<String, Key<NameRow>> keys = new TreeMap<>();
    for (PortConfig port : endpoint.getPortsList()) {
      if (port.getPublishedPort() != 0 && !host(port)) {
        Key<NameRow> key = Rows.NAME.key("port", port.getProtocol(), Integer.toUnsignedString(port.getPublishedPort()));
        keys.put(key.path(), key);
      }
    }
    return keys;
  }

  private static boolean host(PortConfig port) {
    return port.getPublishMode().equals("host");
  }
}
