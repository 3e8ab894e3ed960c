package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;
import dev.skep.backend.Access.Credentials;
import dev.skep.backend.DeniedException;
import dev.skep.backend.Users;
import io.etcd.jetcd.api.AuthEnableRequest;
import io.etcd.jetcd.api.AuthGrpc;
import io.etcd.jetcd.api.AuthRoleAddRequest;
import io.etcd.jetcd.api.AuthRoleGetRequest;
import io.etcd.jetcd.api.AuthRoleGrantPermissionRequest;
import io.etcd.jetcd.api.AuthRoleRevokePermissionRequest;
import io.etcd.jetcd.api.AuthUserAddRequest;
import io.etcd.jetcd.api.AuthUserChangePasswordRequest;
import io.etcd.jetcd.api.AuthUserDeleteRequest;
import io.etcd.jetcd.api.AuthUserGrantRoleRequest;
import io.etcd.jetcd.api.AuthUserListRequest;
import io.etcd.jetcd.api.Permission;
import io.grpc.MethodDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Users and roles of an etcd: who of our services may write what. Asked as root, or as a user with root's role. */
public final class EtcdUsers implements Users {
  private static final String ROOT = "root";

  private final Keys keys;
  private final Members members;
  private final Tokens tokens;
  private final Calls calls;
  private final Optional<Credentials> us;

  private EtcdUsers(EtcdConfig config) {
    keys = Keys.of(config);
    tokens = new Tokens(config.access().credentials());
    members = new Members(config, tokens, keys.key(EtcdStore.REVISION_KEY));
    calls = new Calls(members, tokens, config);
    us = config.access().credentials();
  }

  public static EtcdUsers open(EtcdConfig config) {
    return new EtcdUsers(config);
  }

  /** etcd's first user is root, by that name. */
  @Override
  public void prepare() {
    calls.logIn();
    if (us.isPresent() && !Tokens.NONE.equals(tokens.current())) {
      return;
    }
    if (us.isEmpty() || !us.get().user().equals(ROOT)) {
      throw new DeniedException("etcd at " + members + " has no users yet: give the first one, root, and its password (store.user=root,"
          + " store.password-file=FILE)", null);
    }
    enable(us.get().password());
  }

  @Override
  public void grant(String name, String password, Rights rights) {
    if (!rights.administers()) {
      role(rights.role(), rights.writes(), rights.opensSealed());
    }
    user(name, password, rights.administers() ? ROOT : rights.role());
  }

  /**
   * Makes a role, or makes the one of that name as it is now. Who has it keeps it: etcd takes a role that is deleted away
   * from its users.
   *
   * @param writes prefixes, with a slash at their end, and keys
   * @param opensSealed it reads everything; else everything but what is sealed
   */
  public void role(String name, List<String> writes, boolean opensSealed) {
    unless("role name already exists", AuthGrpc.getRoleAddMethod(), AuthRoleAddRequest.newBuilder().setName(name).build());
    List<Permission> wanted = new ArrayList<>();
    wanted.add(permission(Permission.Type.READ, keys.first(""), opensSealed ? keys.end("") : keys.sealed()));
    for (String write : writes) {
      wanted.add(permission(Permission.Type.READWRITE, keys.key(write), write.endsWith("/") ? keys.end(write) : ByteString.EMPTY));
    }
    List<Permission> held = calls.ask(AuthGrpc.getRoleGetMethod(), AuthRoleGetRequest.newBuilder().setRole(name).build()).getPermList();
    for (Permission old : held) {
      if (!wanted.contains(old)) {
        calls.ask(AuthGrpc.getRoleRevokePermissionMethod(),
            AuthRoleRevokePermissionRequest.newBuilder().setRole(name).setKey(old.getKey()).setRangeEnd(old.getRangeEnd()).build());
      }
    }
    for (Permission one : wanted) {
      if (!held.contains(one)) {
        calls.ask(AuthGrpc.getRoleGrantPermissionMethod(), AuthRoleGrantPermissionRequest.newBuilder().setName(name).setPerm(one).build());
      }
    }
  }

  private static Permission permission(Permission.Type type, ByteString from, ByteString to) {
    return Permission.newBuilder().setPermType(type).setKey(from).setRangeEnd(to).build();
  }

  /** Makes a user with this role, in place of one of that name: older passwords and tokens end. */
  public void user(String name, String password, String role) {
    remove(name);
    // "exists": the request was sent again because its answer was lost
    unless("user name already exists", AuthGrpc.getUserAddMethod(), AuthUserAddRequest.newBuilder().setName(name).setPassword(password).build());
    calls.ask(AuthGrpc.getUserGrantRoleMethod(), AuthUserGrantRoleRequest.newBuilder().setUser(name).setRole(role).build());
  }

  @Override
  public void password(String name, String password) {
    calls.ask(AuthGrpc.getUserChangePasswordMethod(), AuthUserChangePasswordRequest.newBuilder().setName(name).setPassword(password).build());
  }

  @Override
  public void remove(String name) {
    unless("user name not found", AuthGrpc.getUserDeleteMethod(), AuthUserDeleteRequest.newBuilder().setName(name).build());
  }

  @Override
  public List<String> names(String prefix) {
    return calls.ask(AuthGrpc.getUserListMethod(), AuthUserListRequest.getDefaultInstance()).getUsersList().stream()
        .filter(name -> name.startsWith(prefix)).toList();
  }

  /** Lets nobody in any more without a user; root gets this password. For an etcd that has no users yet. */
  public void enable(String rootPassword) {
    unless("role name already exists", AuthGrpc.getRoleAddMethod(), AuthRoleAddRequest.newBuilder().setName(ROOT).build());
    user(ROOT, rootPassword, ROOT);
    calls.ask(AuthGrpc.getAuthEnableMethod(), AuthEnableRequest.getDefaultInstance());
    tokens.refused(Tokens.NONE); // from now on one is needed
  }

  private <Q, A> void unless(String said, MethodDescriptor<Q, A> method, Q request) {
    try {
      calls.ask(method, request);
    } catch (Calls.Refused e) {
      if (!Fate.said(e.status()).contains(said)) {
        throw e;
      }
    }
  }

  @Override
  public void close() {
    calls.close();
    members.close();
  }
}
