package dev.skep.runtime.users;

import dev.skep.runtime.identity.StoreAccess;
import dev.skep.state.StoreRole;
import java.util.Optional;

/**
 * What users are called: {@code skep.<cluster>.<node>}, of the host's skepd, and {@code skep.<cluster>.<node>.<service>}, of a
 * service alone. Of the cluster's id its beginning: several clusters may share the servers.
 */
record UserNames(String prefix) {
  private static final int CLUSTER_CHARACTERS = 8;
  private static final String ADMINISTRATOR = "administrator";

  static UserNames of(String clusterId) {
    return new UserNames(StoreAccess.OWN_USERS + clusterId.substring(0, Math.min(CLUSTER_CHARACTERS, clusterId.length())) + ".");
  }

  String host(String nodeId) {
    return prefix + nodeId;
  }

  String service(String nodeId, StoreRole role) {
    return host(nodeId) + "." + role.service();
  }

  String administrator() {
    return prefix + ADMINISTRATOR;
  }

  /** The node that a user is of; empty for one that is of no node. */
  Optional<String> node(String user) {
    String rest = user.substring(prefix.length());
    String node = rest.contains(".") ? rest.substring(0, rest.indexOf('.')) : rest;
    return node.equals(ADMINISTRATOR) ? Optional.empty() : Optional.of(node);
  }
}
