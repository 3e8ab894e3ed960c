package dev.skep.controlapi.shell;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.Users;
import dev.skep.controlapi.core.ManagerChanges;
import dev.skep.runtime.Host;
import dev.skep.runtime.identity.ClientRoot;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.users.HostUsers;
import dev.skep.runtime.users.Passwords;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.SealedRow;
import dev.skep.state.v1.StoreAdministrator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Users of store and log for hosts that are managers, where store and log have users: a host that becomes a manager gets its
 * own, one that is none any more loses it. Without the administrator's row all share what this host has. Blocking.
 */
final class ManagerUsers {
  private static final Key<SealedRow> ROW = SealedRows.storeAdministrator();

  private final Host host;
  private final SecureRandom random = new SecureRandom();

  ManagerUsers(Host host) {
    this.host = host;
  }

  /** Whether hosts have users of their own. */
  boolean kept(ClusterState state) {
    return host.storeAccess().shared() && state.has(ROW);
  }

  /** What gets this host in; empty when it is no manager (any more), whoever asked just now. Throws StoreException. */
  Optional<StoreAccess> access(String nodeId) {
    if (!kept(host.view().fresh(Commits.LIMIT))) {
      return Optional.of(host.storeAccess());
    }
    try (HostUsers users = open()) {
      StoreAccess own = users.host(nodeId);
      if (ManagerChanges.manages(host.view().fresh(Commits.LIMIT), nodeId)) {
        return Optional.of(own);
      }
      users.revoke(nodeId); // demoted meanwhile, by whoever did not see this user yet
      return Optional.empty();
    }
  }

  /**
   * Takes users away from all hosts that do not stay. Then the administrator gets another password: a manager could read the
   * old one. Answers who is gone. Throws StoreException.
   *
   * @param staying asked when it is known who has users
   */
  Set<String> keepOnly(Supplier<Set<String>> staying) {
    try (HostUsers users = open()) {
      Set<String> gone = users.revokeOthers(staying);
      if (!gone.isEmpty()) {
        Row<SealedRow> row = row();
        StoreAdministrator next = opened(row).toBuilder().setNextPassword(Passwords.fresh(random)).build();
        if (write(row, next)) {
          changePassword(users, next);
        } // else another manager is doing it
      }
      return gone;
    }
  }

  /** With the password that is in force. */
  private HostUsers open() {
    Row<SealedRow> row = row();
    StoreAdministrator administrator = opened(row);
    HostUsers users = new HostUsers(cluster(), host.storeAccess(), servers(administrator), clients(administrator), random);
    if (!administrator.getNextPassword().isEmpty()) { // somebody began to change it and did not come to the end
      try {
        changePassword(users, administrator);
      } catch (StoreException e) {
        users.close();
        throw e;
      }
      users.close();
      return open();
    }
    return users;
  }

  private static Optional<ClientRoot> clients(StoreAdministrator administrator) {
    return Optional.of(administrator).filter(row -> !row.getClientRootPem().isEmpty())
        .map(row -> new ClientRoot(row.getClientRootPem(), row.getClientRootKey().toByteArray()));
  }

  /** Both passwords are in the row until all servers have the new one. */
  private void changePassword(HostUsers users, StoreAdministrator next) {
    users.administratorPassword(next.getNextPassword());
    write(row(), next.toBuilder().setPassword(next.getNextPassword()).clearNextPassword().build());
  }

  private List<Users> servers(StoreAdministrator administrator) {
    List<Users> servers = new ArrayList<>();
    try {
      servers.add(server("store", host.storeAccess().store(), administrator));
      if (administrator.getLog() && !host.storeAccess().log().isEmpty()) {
        servers.add(server("log", host.storeAccess().log(), administrator));
      }
      return servers;
    } catch (StoreException e) {
      servers.forEach(Users::close);
      throw e;
    }
  }

  private Users server(String scope, String uri, StoreAdministrator administrator) {
    if (administrator.getNextPassword().isEmpty()) {
      return Backends.users(uri, as(scope, administrator.getUser(), administrator.getPassword()));
    }
    Users server = Backends.users(uri, as(scope, administrator.getUser(), administrator.getNextPassword()));
    try {
      server.names(administrator.getUser());
      return server;
    } catch (StoreException e) {
      server.close();
      if (!e.denied()) {
        throw e;
      }
      return Backends.users(uri, as(scope, administrator.getUser(), administrator.getPassword()));
    }
  }

  private Access as(String scope, String user, String password) {
    return host.storeAccess().accessAs(scope, user, password, host.dataFolder("control-api"));
  }

  private Row<SealedRow> row() {
    Row<SealedRow> row = host.view().fresh(Commits.LIMIT).row(ROW);
    if (row == null) {
      throw new StoreException("the row that says who makes users, " + ROW.path() + ", is gone");
    }
    return row;
  }

  private StoreAdministrator opened(Row<SealedRow> row) {
    try {
      return StoreAdministrator.parseFrom(key().open(ROW, row.value()));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("what " + ROW.path() + " holds is no administrator", e);
    }
  }

  /** False when somebody else wrote it meanwhile. */
  private boolean write(Row<SealedRow> before, StoreAdministrator administrator) {
    SealedRow sealed = key().seal(ROW, administrator.toByteArray(), random);
    Store.Outcome outcome = host.store().commit(new Store.Transaction(
        List.of(new Store.Compare.ModRevision(ROW.path(), before.modRevision())), List.of(new Store.Operation.Put(ROW.path(), sealed.toByteArray()))));
    return outcome instanceof Store.Outcome.Committed;
  }

  private String cluster() {
    return host.view().state().value(Rows.cluster()).getId();
  }

  private ClusterKey key() {
    Path identity = host.dataFolder("identity");
    try {
      return ClusterKey.read(identity);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the cluster's key", e);
    }
  }
}
