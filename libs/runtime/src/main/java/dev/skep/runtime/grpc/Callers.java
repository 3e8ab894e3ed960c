package dev.skep.runtime.grpc;

import dev.skep.runtime.identity.Caller;
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
import java.util.function.Predicate;

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
    return network(proven, _ -> true);
  }

  /** @param member whether the cluster has a node of this id; a certificate outlives the node that it was made for */
  static ServerInterceptor network(Function<Attributes, Caller> proven, Predicate<String> member) {
    return new Gate(attributes -> switch (proven.apply(attributes)) {
      case Caller.InProcess _ -> new Caller.Stranger();
      case Caller caller -> caller;
    }, member);
  }

  /** For the in-process server only. */
  static ServerInterceptor inProcess() {
    return new Gate(_ -> new Caller.InProcess(), _ -> true);
  }

  private record Gate(Function<Attributes, Caller> proven, Predicate<String> member) implements ServerInterceptor {
    @Override
    public <A, B> ServerCall.Listener<A> interceptCall(ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
      String rpc = call.getMethodDescriptor().getFullMethodName();
      Caller caller = proven.apply(call.getAttributes());
      Status refusal = refusal(rpc, caller);
      if (!refusal.isOk()) {
        call.close(refusal, new Metadata());
        return new ServerCall.Listener<>() {};
      }
      return Contexts.interceptCall(Context.current().withValue(CALLER, caller), call, headers, next);
    }

    private Status refusal(String rpc, Caller caller) {
      if (caller instanceof Caller.Node node && !member.test(node.nodeId())) {
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
