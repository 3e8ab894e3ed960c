package dev.skep.runtime.grpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import java.util.function.BooleanSupplier;

/** To the component in this process, or to one elsewhere: decided with every call. */
public final class ClusterChannel extends Channel {
  private final BooleanSupplier elsewhere;
  private final Channel here;
  private final Channel there;

  public ClusterChannel(BooleanSupplier elsewhere, Channel here, Channel there) {
    this.elsewhere = elsewhere;
    this.here = here;
    this.there = there;
  }

  @Override
  public <A, B> ClientCall<A, B> newCall(MethodDescriptor<A, B> method, CallOptions options) {
    return (elsewhere.getAsBoolean() ? there : here).newCall(method, options);
  }

  @Override
  public String authority() {
    return Tls.AUTHORITY;
  }
}
