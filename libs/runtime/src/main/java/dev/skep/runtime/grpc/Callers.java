package dev.skep.runtime.grpc;

import dev.skep.backend.StoreException;
import dev.skep.runtime.identity.Caller;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.RpcRoles;
import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Optional;
import java.util.function.Function;

/** Who calls the RPC that runs now, and whether they may. */
public final class Callers {
  private static final Context.Key<Caller> CALLER = Context.key("skep-caller");

  private Callers() {}

  /** The caller of the RPC that the current thread serves; empty for one who has proven nothing, and outside of RPCs. */
  public static Optional<Caller> current() {
    return Optional.ofNullable(CALLER.get());
  }

  /**
   * For a network server: finds the caller in the connection's attributes (the TLS session), refuses whom the table of
   * RPCs does not name. What it finds is never the in-process caller.
   */
  public static ServerInterceptor network(Function<Attributes, Caller> proven) {
    return network(proven, node -> Optional.of(node.role()));
  }

  /** What a node of the cluster is today: a certificate outlives the node that it was made for, and its role. */
  @FunctionalInterface
  public interface Roles {
    /** Empty: the cluster has no such node. May block; throws StoreException when nobody can tell. */
    Optional<NodeRole> of(Caller.Node node);
  }

  static ServerInterceptor network(Function<Attributes, Caller> proven, Roles roles) {
    return new Gate(attributes -> switch (proven.apply(attributes)) {
      case Caller.InProcess _ -> new Caller.Stranger();
      case Caller caller -> caller;
    }, roles);
  }

  /** For the in-process server only. */
  static ServerInterceptor inProcess() {
    return new Gate(_ -> new Caller.InProcess(), node -> Optional.of(node.role()));
  }

  private record Gate(Function<Attributes, Caller> proven, Roles roles) implements ServerInterceptor {
    @Override
    public <A, B> ServerCall.Listener<A> interceptCall(ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
      String rpc = call.getMethodDescriptor().getFullMethodName();
      Caller proven = this.proven.apply(call.getAttributes());
      Caller caller = proven;
      Status refusal;
      try {
        if (proven instanceof Caller.Node node) {
          caller = today(node);
        }
        refusal = refusal(rpc, proven, caller);
      } catch (StoreException e) {
        refusal = Status.UNAVAILABLE.withDescription(e.told());
      }
      if (!refusal.isOk()) {
        call.close(refusal, new Metadata());
        return new ServerCall.Listener<>() {};
      }
      return Contexts.interceptCall(Context.current().withValue(CALLER, caller), call, headers, next);
    }

    /** A manager that was demoted is a worker from then on, whatever its certificate says; a stranger when it was removed. */
    private Caller today(Caller.Node node) {
      Optional<NodeRole> role = roles.of(node);
      boolean demoted = role.isPresent() && role.get() == NodeRole.WORKER;
      return role.isEmpty() ? new Caller.Stranger() : demoted ? new Caller.Node(node.nodeId(), NodeRole.WORKER) : node;
    }

    private Status refusal(String rpc, Caller proven, Caller caller) {
      if (proven instanceof Caller.Node node && caller instanceof Caller.Stranger) {
        return Status.PERMISSION_DENIED.withDescription("node " + node.nodeId() + " is no node of this cluster: it was removed");
      }
      if (RpcRoles.allowed(rpc, caller)) {
        return Status.OK;
      }
      return caller instanceof Caller.Stranger ? Status.UNAUTHENTICATED.withDescription(rpc + " needs a certificate of the cluster")
          : Status.PERMISSION_DENIED.withDescription(rpc + " may not be called by " + caller);
    }
  }
}
