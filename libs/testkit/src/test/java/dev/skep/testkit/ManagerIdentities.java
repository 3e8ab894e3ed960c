package dev.skep.testkit;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.host.FileMembership;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeName;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.Trust;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.ServiceRow;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Identities of managers of one cluster, for hosts of tests; and the cluster's first rows, written past everybody. */
final class ManagerIdentities {
  private static final Logger LOG = LoggerFactory.getLogger(ManagerIdentities.class);
  private static final String CLUSTER = "c1";

  private final Path folder;
  private final Store store;
  private final SecureRandom random = new SecureRandom();
  private final CertificateAuthority authority = CertificateAuthority.create(Instant.now(), random);
  private int services;

  /** @param store the test's own way to it */
  ManagerIdentities(Path folder, Store store) {
    this.folder = folder;
    this.store = store;
    put(Rows.cluster().path(), ClusterRow.newBuilder().setId(CLUSTER).build().toByteArray());
  }

  /** The data folder of one more manager, at whichever port is free. */
  Path manager(String node) {
    return manager(node, 0);
  }

  Path manager(String node, int port) {
    String door = "127.0.0.1:" + port;
    Path data = folder.resolve(node);
    KeyPair keys = NodeCertificate.freshKey(random);
    String chain = authority.issue(new NodeName(node, NodeRole.MANAGER, CLUSTER), keys.getPublic(), Instant.now(), Duration.ofDays(1), random);
    new Trust(data.resolve("identity"), Clock.systemUTC())
        .install(NodeCertificate.of(keys.getPrivate(), chain), List.of(authority.certificatePem()));
    new FileMembership(data)
        .become(new Identity(CLUSTER, node, true, "127.0.0.1", "127.0.0.1", door, List.of(door)));
    put(Rows.NODE_SPEC.key(node).path(), NodeSpecRow.getDefaultInstance().toByteArray());
    return data;
  }

  /** One more service that wants tasks. Returns the revision that has it. */
  long service() {
    long revision = put(Rows.SERVICE.key("s" + (services + 1)).path(), ServiceRow.getDefaultInstance().toByteArray());
    services++;
    return revision;
  }

  int services() {
    return services;
  }

  /** Until it is there: a store of other processes may be slow, or away. */
  private long put(String key, byte[] value) {
    while (true) {
      try {
        return ((Store.Outcome.Committed) store.commit(
            new Store.Transaction(List.of(), List.of(new Store.Operation.Put(key, value))))).revision();
      } catch (StoreException e) {
        LOG.info("{} is written once more: {}", key, e.getMessage()); // the test's time-out ends it
      }
    }
  }
}
