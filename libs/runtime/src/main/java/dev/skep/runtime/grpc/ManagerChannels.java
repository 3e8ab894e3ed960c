package dev.skep.runtime.grpc;

import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.identity.Trust;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A worker's connections to the managers: one per purpose, to whichever manager answers. A call that comes when the
 * present one cannot be reached goes to the next, and is tried at once: who calls has its own back-off.
 */
public final class ManagerChannels implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ManagerChannels.class);
  private static final int CONNECT_MILLIS = 1000;
  private static final int PROBE_AFTER_SECONDS = 10;
  private static final int PROBE_PATIENCE_SECONDS = 4; // also how long sent bytes may stay unconfirmed before the kernel gives up
  private static final int LARGEST_MESSAGE = 64 << 20; // all assignments of a node, the feed of a large cluster

  private final Supplier<List<String>> managers;
  private final Trust trust;
  private final Executor calls;
  private final Map<String, Connection> byPurpose = new HashMap<>(); // guarded by this
  private EventLoopGroup loop; // made when first needed; guarded by this
  private SslContext tls; // guarded by this

  private record Connection(String address, InetSocketAddress place, ManagedChannel channel) {}

  /**
   * @param managers host:port of all that are known, in the order in which they are tried
   * @param calls runs callbacks
   */
  public ManagerChannels(Supplier<List<String>> managers, Trust trust, Executor calls) {
    this.managers = managers;
    this.trust = trust;
    this.calls = calls;
  }

  /** A channel that looks for a manager with every call. */
  public Channel channel(String purpose) {
    return new Channel() {
      @Override
      public <A, B> ClientCall<A, B> newCall(MethodDescriptor<A, B> method, CallOptions options) {
        ManagedChannel chosen = chosen(purpose);
        return chosen == null ? new ToNobody<>() : chosen.newCall(method, options);
      }

      @Override
      public String authority() {
        return Tls.AUTHORITY;
      }
    };
  }

  private synchronized ManagedChannel chosen(String purpose) {
    List<String> known = managers.get();
    if (known.isEmpty()) {
      return null;
    }
    Connection present = byPurpose.get(purpose);
    if (present != null && known.contains(present.address)) {
      if (present.channel.getState(false) != ConnectivityState.TRANSIENT_FAILURE) {
        return present.channel;
      }
      if (known.size() == 1 && HostPort.parse(present.address, NetworkDoor.PORT).equals(present.place)) {
        present.channel.resetConnectBackoff();
        return present.channel;
      }
    }
    int next = present == null ? 0 : (known.indexOf(present.address) + 1) % known.size();
    if (present != null) {
      present.channel.shutdown(); // open calls go on
      LOG.info("{}: from manager {} to {}", purpose, present.address, known.get(next));
    }
    InetSocketAddress place = HostPort.parse(known.get(next), NetworkDoor.PORT); // a name may have moved: a container that was replaced
    Connection fresh = new Connection(known.get(next), place, connected(place));
    byPurpose.put(purpose, fresh);
    return fresh.channel;
  }

  private ManagedChannel connected(InetSocketAddress place) {
    if (loop == null) {
      loop = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("managers", true), EpollIoHandler.newFactory());
    }
    if (tls == null) {
      tls = Tls.node(trust);
    }
    return NettyChannelBuilder.forAddress(place)
        .overrideAuthority(Tls.AUTHORITY)
        .sslContext(tls)
        .eventLoopGroup(loop)
        .channelType(EpollSocketChannel.class)
        .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
        .keepAliveTime(PROBE_AFTER_SECONDS, TimeUnit.SECONDS)
        .keepAliveTimeout(PROBE_PATIENCE_SECONDS, TimeUnit.SECONDS)
        .maxInboundMessageSize(LARGEST_MESSAGE)
        .executor(calls)
        .build();
  }

  /** Ends all connections: the cluster or the certificate is another one now. The next call makes new ones. */
  public synchronized void forget() {
    byPurpose.values().forEach(connection -> connection.channel.shutdownNow());
    byPurpose.clear();
    tls = null;
  }

  @Override
  public synchronized void close() {
    forget();
    if (loop != null) {
      loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }

  /** A call to nobody. */
  private static final class ToNobody<A, B> extends ClientCall<A, B> {
    @Override
    public void start(Listener<B> listener, Metadata headers) {
      listener.onClose(Status.UNAVAILABLE.withDescription("this node knows no manager of its cluster"), new Metadata());
    }

    @Override
    public void request(int messages) {}

    @Override
    public void cancel(String message, Throwable cause) {}

    @Override
    public void halfClose() {}

    @Override
    public void sendMessage(A message) {}
  }
}
