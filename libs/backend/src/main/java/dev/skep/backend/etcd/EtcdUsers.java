package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.AuthEnableRequest;
import io.etcd.jetcd.api.AuthGrpc;
import io.etcd.jetcd.api.AuthRoleAddRequest;
import io.etcd.jetcd.api.AuthRoleDeleteRequest;
import io.etcd.jetcd.api.AuthRoleGrantPermissionRequest;
import io.etcd.jetcd.api.AuthUserAddRequest;
import io.etcd.jetcd.api.AuthUserDeleteRequest;
import io.etcd.jetcd.api.AuthUserGrantRoleRequest;
import io.etcd.jetcd.api.Permission;
import io.grpc.MethodDescriptor;
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
   * Makes a role, in place of one of that name.
   *
   * @param writes prefixes, with a slash at their end, and keys
   * @param opensSealed it reads everything; else everything but what is sealed
   */
  public void role(String name, List<String> writes, boolean opensSealed) {
    unless("role name not found", AuthGrpc.getRoleDeleteMethod(), AuthRoleDeleteRequest.newBuilder().setRole(name).build());
    calls.ask(AuthGrpc.getRoleAddMethod(), AuthRoleAddRequest.newBuilder().setName(name).build());
    permit(name, Permission.Type.READ, keys.first(""), opensSealed ? keys.end("") : keys.sealed());
    for (String write : writes) {
      permit(name, Permission.Type.READWRITE, keys.key(write), write.endsWith("/") ? keys.end(write) : ByteString.EMPTY);
    }
  }

  private void permit(String role, Permission.Type type, ByteString from, ByteString to) {
    Permission permission = Permission.newBuilder().setPermType(type).setKey(from).setRangeEnd(to).build();
    calls.ask(AuthGrpc.getRoleGrantPermissionMethod(), AuthRoleGrantPermissionRequest.newBuilder().setName(role).setPerm(permission).build());
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
