package dev.skep.controlapi.core;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.PortConfig;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.NameRow;
import java.util.Optional;
import java.util.TreeMap;

/** Published ports: who holds which. An explicit ingress port is a name that one service of the cluster has. */
final class PortClaims {
  /** Of one service. Each is two operations of the one transaction that makes the service. */
  static final int MOST = 40;

  private PortClaims() {}

  /** Why so many cannot be had; empty when they can. */
  static Optional<ApiError> tooMany(EndpointSpec wanted) {
    return explicit(wanted).size() > MOST
        ? Optional.of(ApiError.notBuilt("a service with more than " + MOST + " published ports", "split the service"))
        : Optional.empty();
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
