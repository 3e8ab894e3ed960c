package dev.skep.backend.etcd;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.KVGrpc;
import io.etcd.jetcd.api.RangeRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** One server of the cluster and our connection to it. */
final class Member implements AutoCloseable {
  private static final int LARGEST_ANSWER = 64 << 20;

  private final String endpoint;
  private final ManagedChannel connection;
  private final Channel channel;
  private final long silenceNanos;
  private final Coalesced<Boolean> probe;
  private volatile long heard = System.nanoTime() - Duration.ofHours(1).toNanos();

  Member(String endpoint, ChannelCredentials credentials, Tokens tokens, ByteString probeKey, Duration silence) {
    this.endpoint = endpoint;
    this.connection = Grpc.newChannelBuilder("dns:///" + endpoint.replace("[", "%5B").replace("]", "%5D"), credentials)
        .directExecutor() // what comes back only completes futures and fills queues
        .maxInboundMessageSize(LARGEST_ANSWER)
        .build();
    this.channel = ClientInterceptors.intercept(connection, new Hearing(tokens));
    this.silenceNanos = silence.toNanos();
    // Serializable: the server answers it alone, also while the cluster has no leader.
    RangeRequest anything = RangeRequest.newBuilder().setKey(probeKey).setSerializable(true).setCountOnly(true).build();
    this.probe = new Coalesced<>(() -> probe(anything));
  }

  String endpoint() {
    return endpoint;
  }

  Channel channel() {
    return channel;
  }

  /** False when it was silent for a while, and then did not answer a question either. */
  boolean answers() {
    return System.nanoTime() - heard < silenceNanos || probe.get();
  }

  private boolean probe(RangeRequest anything) {
    try {
      CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(silenceNanos, TimeUnit.NANOSECONDS);
      ClientCalls.blockingUnaryCall(channel, KVGrpc.getRangeMethod(), options, anything);
      return true;
    } catch (StatusRuntimeException e) {
      Fate fate = Fate.of(e.getStatus());
      return fate == Fate.REFUSED || fate == Fate.STRANGER; // also a refusal is an answer
    }
  }

  /** The next call makes a new connection; calls under way keep the old one. */
  void reconnect() {
    connection.enterIdle();
  }

  /** Tries to connect now and not when gRPC's own back-off ends, which grows to minutes. */
  void hurry() {
    connection.resetConnectBackoff();
  }

  @Override
  public void close() {
    connection.shutdownNow();
  }

  /** Notes when the server said something; gives it the token. */
  private final class Hearing implements ClientInterceptor {
    private final Tokens tokens;

    private Hearing(Tokens tokens) {
      this.tokens = tokens;
    }

    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
      return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
        @Override
        public void start(Listener<A> listener, Metadata headers) {
          tokens.write(headers);
          super.start(new SimpleForwardingClientCallListener<>(listener) {
            @Override
            public void onMessage(A message) {
              heard = System.nanoTime();
              super.onMessage(message);
            }
          }, headers);
        }
      };
    }
  }
}
