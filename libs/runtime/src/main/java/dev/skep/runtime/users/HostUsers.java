package dev.skep.runtime.users;

import com.google.protobuf.ByteString;
import dev.skep.backend.StoreException;
import dev.skep.backend.Users;
import dev.skep.backend.Users.Rights;
import dev.skep.runtime.identity.ClientRoot;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.state.Owner;
import dev.skep.state.StoreRole;
import dev.skep.state.v1.StoreAdministrator;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Users of a cluster's hosts in its store, and in its log where that has users: every host has its own, so that one can be
 * shut out and the others go on. Asked with an administrator's access, which closing gives up. Blocking; failures are
 * StoreExceptions.
 */
public final class HostUsers implements AutoCloseable {
  private final UserNames names;
  private final StoreAccess everybody;
  private final List<Users> servers; // the store's, and the log's if it has users
  private final Optional<ClientRoot> clients;
  private final SecureRandom random;

  /**
   * @param everybody what every user is told: addresses, and the roots of the servers' certificates
   * @param servers the store's users, and the log's where there are some
   */
  public HostUsers(String clusterId, StoreAccess everybody, List<Users> servers, SecureRandom random) {
    this(clusterId, everybody, servers, Optional.empty(), random);
  }

  /** @param clients where the store asks for certificates, too: who makes them */
  public HostUsers(String clusterId, StoreAccess everybody, List<Users> servers, Optional<ClientRoot> clients, SecureRandom random) {
    this.clients = clients;
    this.names = UserNames.of(clusterId);
    this.everybody = everybody.withoutCredentials();
    this.servers = List.copyOf(servers);
    this.random = random;
  }

  /** Whether the log has users, too. */
  public boolean inLog() {
    return servers.size() > 1;
  }

  /** Makes an administrator for the control-apis of the cluster, in place of the one that they had. */
  public StoreAdministrator administrator() {
    String password = Passwords.fresh(random);
    servers.forEach(server -> server.grant(names.administrator(), password, Rights.administrator()));
    StoreAdministrator.Builder row = StoreAdministrator.newBuilder().setUser(names.administrator()).setPassword(password).setLog(servers.size() > 1);
    clients.ifPresent(root -> row.setClientRootPem(root.certificatePem()).setClientRootKey(ByteString.copyFrom(root.privateKey())));
    return row.build();
  }

  /** Takes the administrator away, and whoever is left of the cluster's hosts: it was not founded after all. */
  public void removeAll() {
    revokeOthers(Set::of);
    servers.forEach(server -> server.remove(names.administrator()));
  }

  /** Gives the administrator this password. */
  public void administratorPassword(String password) {
    servers.forEach(server -> server.password(names.administrator(), password));
  }

  /** Makes the user of a host that runs everything in one process, in place of the one it had. */
  public StoreAccess host(String nodeId) {
    List<String> writes = Arrays.stream(Owner.values()).map(Owner::prefix).toList();
    return granted(names.host(nodeId), new Rights(names.prefix() + "manager", writes, true, true, true, false));
  }

  /** Makes a user for every control service of a host that runs them alone, in place of those that they had. */
  public Map<StoreRole, StoreAccess> services(String nodeId) {
    Map<StoreRole, StoreAccess> all = new EnumMap<>(StoreRole.class);
    for (StoreRole role : StoreRole.values()) {
      all.put(role, granted(names.service(nodeId, role), rights(role)));
    }
    return all;
  }

  /** Whether the servers have an administrator for the control-apis. */
  public boolean hasAdministrator() {
    return servers.stream().allMatch(server -> server.names(names.administrator()).contains(names.administrator()));
  }

  /** Whether this is of the host's user, and the servers have it. */
  public boolean isHost(String nodeId, StoreAccess access) {
    return has(names.host(nodeId), access);
  }

  /** Whether this is of the service's user, and the servers have it. */
  public boolean isService(String nodeId, StoreRole role, StoreAccess access) {
    return has(names.service(nodeId, role), access);
  }

  private boolean has(String user, StoreAccess access) {
    return access.user("store").equals(Optional.of(user))
        && access.user("log").isPresent() == servers.size() > 1
        && servers.stream().allMatch(server -> server.names(user).contains(user));
  }

  private Rights rights(StoreRole role) {
    return new Rights(names.prefix() + role.service(), role.writes(), role.opensSealed(), true, role == StoreRole.RELAY, false);
  }

  private StoreAccess granted(String user, Rights rights) {
    String password = Passwords.fresh(random);
    servers.forEach(server -> server.grant(user, password, rights));
    StoreAccess access = everybody.as(user, password, servers.size() > 1, rights.opensSealed());
    return clients.map(root -> root.certify(access, user, Instant.now(), random)).orElse(access);
  }

  /** From now on nobody gets in as this host or one of its services. Answers who that was. */
  public Set<String> revoke(String nodeId) {
    return revokeAll(() -> node -> node.equals(nodeId));
  }

  /**
   * The same for every host that does not stay.
   *
   * @param staying asked when it is known who has users: a host may come, and get its own, at any time before
   */
  public Set<String> revokeOthers(Supplier<Set<String>> staying) {
    return revokeAll(() -> {
      Set<String> stay = staying.get();
      return node -> !stay.contains(node);
    });
  }

  private Set<String> revokeAll(Supplier<Predicate<String>> whoGoes) {
    Set<String> removed = new TreeSet<>();
    Optional<StoreException> failure = Optional.empty();
    for (Users server : servers.reversed()) { // of the log first: whoever does this may be shut out of the store by it
      try {
        List<String> users = new ArrayList<>(server.names(names.prefix()));
        Predicate<String> goes = whoGoes.get();
        users.removeIf(user -> names.node(user).filter(goes).isEmpty());
        users.forEach(server::remove);
        removed.addAll(users);
      } catch (StoreException e) { // a log that is away leaves nobody in the store
        failure = Optional.of(e);
      }
    }
    if (failure.isPresent()) {
      throw failure.get();
    }
    return removed;
  }

  @Override
  public void close() {
    servers.forEach(Users::close);
  }
}
