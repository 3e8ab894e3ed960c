package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.AuthEnableRequest;
import io.etcd.jetcd.api.AuthGrpc;
import io.etcd.jetcd.api.AuthRoleAddRequest;
import io.etcd.jetcd.api.AuthRoleGetRequest;
import io.etcd.jetcd.api.AuthRoleGrantPermissionRequest;
import io.etcd.jetcd.api.AuthRoleRevokePermissionRequest;
import io.etcd.jetcd.api.AuthUserAddRequest;
import io.etcd.jetcd.api.AuthUserDeleteRequest;
import io.etcd.jetcd.api.AuthUserGrantRoleRequest;
import io.etcd.jetcd.api.Permission;
import io.grpc.MethodDescriptor;
import java.util.ArrayList;
import java.util.List;

/** Users and roles of an etcd: who of our services may write what. Asked as root. */
public final class EtcdUsers implements AutoCloseable {
  private static final String ROOT = "root";

  private final Keys keys;
  private final Members members;
  private final Calls calls;

  private EtcdUsers(EtcdConfig config) {
    keys = Keys.of(config);
    Tokens tokens = new Tokens(config.access().credentials());
    members = new Members(config, tokens, keys.key(EtcdStore.REVISION_KEY));
    calls = new Calls(members, tokens, config);
  }

  public static EtcdUsers open(EtcdConfig config) {
    return new EtcdUsers(config);
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
    calls.ask(AuthGrpc.getUserAddMethod(), AuthUserAddRequest.newBuilder().setName(name).setPassword(password).build());
    calls.ask(AuthGrpc.getUserGrantRoleMethod(), AuthUserGrantRoleRequest.newBuilder().setUser(name).setRole(role).build());
  }

  /** From now on whoever has this user's password is nobody. Nothing happens when there is no such user. */
  public void remove(String name) {
    unless("user name not found", AuthGrpc.getUserDeleteMethod(), AuthUserDeleteRequest.newBuilder().setName(name).build());
  }

  /** Lets nobody in any more without a user; root gets this password. For an etcd that has no users yet. */
  public void enable(String rootPassword) {
    unless("role name already exists", AuthGrpc.getRoleAddMethod(), AuthRoleAddRequest.newBuilder().setName(ROOT).build());
    user(ROOT, rootPassword, ROOT);
    calls.ask(AuthGrpc.getAuthEnableMethod(), AuthEnableRequest.getDefaultInstance());
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
