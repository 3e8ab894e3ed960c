package dev.skep.skepd;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.Users;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.host.ProcessSettings;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.HostUsers;
import dev.skep.state.StoreRole;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes users of store and log for a host, with the access of an administrator of both.
 *
 * @param told where store and log are, as hosts are told it
 * @param store as whom to administer the store
 * @param logUri where to administer the log, which may be another port; empty: it has no users
 * @param log as whom
 */
record Granting(StoreAccess told, Access store, Optional<String> logUri, Access log) {
  private static final Logger LOG = LoggerFactory.getLogger(Granting.class);
  private static final Duration PATIENCE = Duration.ofSeconds(90); // servers that are started together with this
  private static final Duration PAUSE = Duration.ofMillis(500);

  /** @param process whose store and log these are, with an administrator's credentials */
  static Granting from(Settings settings, ProcessSettings process) {
    Optional<String> adminLog = settings.text("admin-log").or(process::log);
    return new Granting(StoreAccess.from(settings, process.store()).withoutCredentials(), process.storeAccess(),
        adminLog.filter(_ -> !process.logAccess().equals(Access.PLAIN)), process.logAccess());
  }

  /** Users are given where an administrator's credentials are. */
  boolean possible() {
    return store.credentials().isPresent();
  }

  /** Turns users on where there are none yet. Waits for servers that are not there yet. */
  void prepare() {
    if (!possible()) {
      throw new SettingsException("whose users are to be made? Give an administrator of the store: store.user=root, store.password-file=FILE");
    }
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        for (Users server : servers()) {
          try (server) {
            server.prepare();
          }
        }
        return;
      } catch (StoreException e) {
        if (e.denied() || System.nanoTime() - end > 0) {
          throw e;
        }
        LOG.info("waiting: {}", e.getMessage());
        pause();
      }
    }
  }

  private static void pause() {
    try {
      TimeUnit.NANOSECONDS.sleep(PAUSE.toNanos());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while waiting for store and log", e);
    }
  }

  private List<Users> servers() {
    List<Users> servers = new ArrayList<>();
    servers.add(Backends.users(told.store(), store));
    logUri.ifPresent(uri -> servers.add(Backends.users(uri, log)));
    return servers;
  }

  HostUsers users(String clusterId) {
    return new HostUsers(clusterId, told, servers(), new SecureRandom());
  }

  /** Who control-apis are when a host becomes a manager, or is none any more. What is there stays. */
  static void administrator(HostUsers users, Store store, Path identity) throws IOException {
    Optional<Store.Entry> there = store.get(SealedRows.storeAdministrator().path());
    if (there.isPresent() && users.hasAdministrator()) {
      return;
    }
    if (!ClusterKey.present(identity)) {
      LOG.warn("{} has no key of the cluster, so managers cannot make users for others: run this on a manager, too", identity);
      return;
    }
    byte[] clear = users.administrator().toByteArray();
    byte[] row = ClusterKey.read(identity).seal(SealedRows.storeAdministrator(), clear, new SecureRandom()).toByteArray();
    store.commit(new Store.Transaction(
        List.of(new Store.Compare.ModRevision(SealedRows.storeAdministrator().path(), there.map(Store.Entry::modRevision).orElse(0L))),
        List.of(new Store.Operation.Put(SealedRows.storeAdministrator().path(), row))));
  }

  /** For a host that runs everything in one process. Nothing happens when it has its user; {@code anew}: it gets another. */
  static boolean host(HostUsers users, String node, Path identity, boolean anew) {
    if (!anew && StoreAccess.read(identity).filter(there -> users.isHost(node, there)).isPresent()) {
      return false;
    }
    users.host(node).write(identity);
    return true;
  }

  /** For a host whose control services are processes of their own: a folder of its name for each. */
  static boolean services(HostUsers users, String node, Path identity, boolean anew) {
    boolean all = true;
    for (StoreRole role : StoreRole.values()) {
      all &= StoreAccess.read(identity.resolve(role.service())).filter(there -> users.isService(node, role, there)).isPresent();
    }
    if (all && !anew) {
      return false;
    }
    for (Map.Entry<StoreRole, StoreAccess> one : users.services(node).entrySet()) {
      one.getValue().write(identity.resolve(one.getKey().service()));
    }
    return true;
  }
}
