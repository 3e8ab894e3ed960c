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
  public static ServerInterceptor network(Function<Attributes, Optional<Caller>> proven) {
    return new Gate(attributes -> proven.apply(attributes).filter(caller -> !(caller instanceof Caller.InProcess)));
  }

  /** For the in-process server only. */
  static ServerInterceptor inProcess() {
    return new Gate(attributes -> Optional.of(new Caller.InProcess()));
  }

  private record Gate(Function<Attributes, Optional<Caller>> proven) implements ServerInterceptor {
    @Override
    public <A, B> ServerCall.Listener<A> interceptCall(ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
      String rpc = call.getMethodDescriptor().getFullMethodName();
      Optional<Caller> caller = proven.apply(call.getAttributes());
      if (caller.isEmpty()) {
        call.close(Status.UNAUTHENTICATED.withDescription(rpc + " needs a certificate of the cluster"), new Metadata());
        return new ServerCall.Listener<>() {};
      }
      if (!RpcRoles.allowed(rpc, caller.get())) {
        call.close(Status.PERMISSION_DENIED.withDescription(rpc + " may not be called by " + caller.get()), new Metadata());
        return new ServerCall.Listener<>() {};
      }
      return Contexts.interceptCall(Context.current().withValue(CALLER, caller.get()), call, headers, next);
    }
  }
}
