package dev.skep.controlapi.shell;

import dev.skep.backend.StoreException;
import dev.skep.runtime.Host;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.Administration;
import dev.skep.runtime.users.HostUsers;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Users of store and log for a cluster that is about to be founded, where this process was told who may make them: from its
 * first revision on every manager has its own. Blocking; failures are StoreExceptions.
 *
 * @param own as whom this host goes on
 * @param administrator for the row that control-apis make users with
 */
record FirstUsers(StoreAccess own, byte[] administrator) {
  private static final Logger LOG = LoggerFactory.getLogger(FirstUsers.class);

  /** Empty where all managers share what this one was told. */
  static Optional<FirstUsers> make(Host host, String clusterId, String nodeId) {
    Optional<Administration> by = host.administration().filter(_ -> host.storeAccess().shared());
    by.ifPresent(Administration::prepare);
    if (by.isEmpty() || !by.get().accepted()) {
      return Optional.empty();
    }
    try (HostUsers users = by.get().users(clusterId)) {
      return Optional.of(new FirstUsers(users.host(nodeId), users.administrator().toByteArray()));
    }
  }

  /** The cluster was not founded. */
  static void unmake(Host host, String clusterId) {
    try (HostUsers users = host.administration().orElseThrow().users(clusterId)) {
      users.removeAll();
    } catch (StoreException e) {
      LOG.warn("users of cluster {}, which was not founded, are left in store and log: {}", clusterId, e.getMessage());
    }
  }
}
