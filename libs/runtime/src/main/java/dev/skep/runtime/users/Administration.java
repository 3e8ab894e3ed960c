package dev.skep.runtime.users;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.Users;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.identity.ClientRoot;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.state.StoreRole;
import java.io.IOException;
import java.nio.file.Files;
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
 * What a process may do as an administrator of store and log: make users for hosts, so that each has its own. Blocking;
 * failures are StoreExceptions.
 *
 * @param told where store and log are, as hosts are told it
 * @param store as whom to administer the store
 * @param logUri where to administer the log, which may be another port; empty: it has no users
 * @param log as whom
 * @param clients who makes certificates for a store that asks its clients for some
 */
public record Administration(StoreAccess told, Access store, Optional<String> logUri, Access log, Optional<ClientRoot> clients) {
  private static final Logger LOG = LoggerFactory.getLogger(Administration.class);
  private static final Duration PATIENCE = Duration.ofSeconds(90); // servers that are started together with this
  private static final String ADMIN_LOG = "admin-log";
  private static final String CLIENT_CA = "client-ca";
  private static final String CLIENT_CA_KEY = "client-ca-key";
  private static final List<String> ADMIN_ONLY = List.of(ADMIN_LOG, CLIENT_CA, CLIENT_CA_KEY);
  private static final Duration PAUSE = Duration.ofMillis(500);

  /** As these settings say: {@code store}, {@code log} and as whom to go there, and {@code admin-log}. */
  public static Administration from(Settings settings, String otherwise) {
    StoreAccess told = StoreAccess.from(settings, otherwise);
    Access log = AccessSettings.from(settings, "log", Optional.empty());
    Optional<String> adminLog = settings.text(ADMIN_LOG).or(() -> Optional.of(told.log()).filter(uri -> !uri.isEmpty()));
    return new Administration(told.withoutCredentials(), AccessSettings.from(settings, "store", Optional.empty()),
        adminLog.filter(_ -> proves(log)), log, clients(settings));
  }

  /** The settings that a process reads which may make users. Those that may not have to read them, too: they are no mistake. */
  public static void known(Settings settings) {
    ADMIN_ONLY.forEach(settings::text);
  }

  private static Optional<ClientRoot> clients(Settings settings) {
    Optional<String> root = settings.text(CLIENT_CA);
    Optional<String> key = settings.text(CLIENT_CA_KEY);
    if (root.isPresent() != key.isPresent()) {
      throw new SettingsException(CLIENT_CA + " and " + CLIENT_CA_KEY + " belong together: the root that the store believes of its clients, and its key");
    }
    try {
      return root.isEmpty() ? Optional.empty() : Optional.of(ClientRoot.ofPem(Files.readString(Path.of(root.get())), Files.readString(Path.of(key.get()))));
    } catch (IOException | IllegalArgumentException e) {
      throw new SettingsException("cannot use " + CLIENT_CA + " and " + CLIENT_CA_KEY + ": " + e.getMessage(), e);
    }
  }

  /** The same with the store elsewhere. */
  public Administration at(String uri) {
    return new Administration(told.at(uri), store, logUri, log, clients);
  }

  private static boolean proves(Access access) {
    return access.credentials().isPresent() || access.tls().flatMap(Access.TlsFiles::certificate).isPresent();
  }

  /** Users are given where an administrator's credentials are. */
  public boolean possible() {
    return store.credentials().isPresent();
  }

  /** Turns users on where there are none yet. Waits for servers that are not there yet. */
  public void prepare() {
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

  /** Whether the servers take this for an administrator. Throws when they do not answer. */
  public boolean accepted() {
    for (Users server : servers()) {
      try (server) {
        server.names("");
      } catch (StoreException e) {
        if (!e.denied()) {
          throw e;
        }
        LOG.warn("hosts get no users of their own: {}", e.getMessage());
        return false;
      }
    }
    return true;
  }

  public HostUsers users(String clusterId) {
    return new HostUsers(clusterId, told, servers(), clients, new SecureRandom());
  }

  /** Who control-apis are when a host becomes a manager, or is none any more. What is there stays. */
  public static void administrator(HostUsers users, Store store, Path identity) throws IOException {
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
  public static boolean host(HostUsers users, String node, Path identity, boolean anew) {
    if (!anew && StoreAccess.read(identity).filter(there -> users.isHost(node, there)).isPresent()) {
      return false;
    }
    users.host(node).write(identity);
    return true;
  }

  /** For a host whose control services are processes of their own: a folder of its name for each. */
  public static boolean services(HostUsers users, String node, Path identity, boolean anew) {
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
