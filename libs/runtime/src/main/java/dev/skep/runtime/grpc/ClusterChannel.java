package dev.skep.runtime.grpc;

import dev.skep.runtime.Membership;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;

/** To the component in this process, or on a worker to a manager: decided with every call. */
public final class ClusterChannel extends Channel {
  private final Membership membership;
  private final Channel here;
  private final Channel there;

  public ClusterChannel(Membership membership, Channel here, Channel there) {
    this.membership = membership;
    this.here = here;
    this.there = there;
  }

  @Override
  public <A, B> ClientCall<A, B> newCall(MethodDescriptor<A, B> method, CallOptions options) {
    boolean worker = membership.current().filter(identity -> !identity.manager()).isPresent();
    return (worker ? there : here).newCall(method, options);
  }

  @Override
  public String authority() {
    return Tls.AUTHORITY;
  }
}
