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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connections to managers. A worker's: one per purpose, all of them to whichever manager answers; a call that comes when the
 * present one cannot be reached goes to the next, and is tried at once, as who calls has its own back-off. And those to
 * particular managers.
 */
public final class ManagerChannels implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ManagerChannels.class);
  private static final int CONNECT_MILLIS = 1000;
  private static final int PROBE_AFTER_SECONDS = 10;
  private static final int PROBE_PATIENCE_SECONDS = 4; // also how long sent bytes may stay unconfirmed before the kernel gives up
  private static final int MOST_PEERS = 64;
  private static final int LARGEST_MESSAGE = 64 << 20; // all assignments of a node, the feed of a large cluster

  private final Supplier<List<String>> managers;
  private final Trust trust;
  private final Executor calls;
  private final Map<String, Connection> byPurpose = new HashMap<>(); // guarded by this
  private final Map<String, Connection> byAddress = new LinkedHashMap<>(); // guarded by this
  private String present = ""; // whom all purposes use; guarded by this
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
    if (!known.contains(present)) {
      turn(known.getFirst());
    }
    Connection connection = byPurpose.get(purpose);
    if (connection != null && connection.address.equals(present)) {
      if (connection.channel.getState(false) != ConnectivityState.TRANSIENT_FAILURE) {
        return connection.channel;
      }
      if (known.size() == 1 && HostPort.parse(present, NetworkDoor.PORT).equals(connection.place)) {
        connection.channel.resetConnectBackoff();
        return connection.channel;
      }
      turn(after(present, known));
    }
    return connection(purpose);
  }

  private ManagedChannel connection(String purpose) {
    Connection before = byPurpose.get(purpose);
    if (before != null) {
      before.channel.shutdown(); // open calls go on
      LOG.info("{}: from manager {} to {}", purpose, before.address, present);
    }
    InetSocketAddress place = HostPort.parse(present, NetworkDoor.PORT); // a name may have moved: a container that was replaced
    Connection fresh = new Connection(present, place, connected(place));
    byPurpose.put(purpose, fresh);
    return fresh.channel;
  }

  private static String after(String address, List<String> known) {
    return known.get((known.indexOf(address) + 1) % known.size());
  }

  /** All purposes turn together: what a session's calls carry means something to the manager that holds the session. */
  private void turn(String address) {
    present = address;
  }

  /** The present manager is silent although its connections stand: the next calls go to another one, if there is one. */
  public synchronized boolean silent() {
    List<String> known = managers.get();
    if (known.size() < 2 || !known.contains(present)) {
      return false;
    }
    String gone = present;
    turn(after(gone, known));
    byPurpose.entrySet().removeIf(entry -> {
      if (entry.getValue().address.equals(gone)) {
        entry.getValue().channel.shutdownNow(); // what waits for its answer has waited long enough
        return true;
      }
      return false;
    });
    LOG.info("manager {} is silent; on to {}", gone, present);
    return true;
  }

  /** The next calls go to this one, while it is known. Those that have begun stay where they are. */
  public synchronized void choose(String address) {
    turn(address);
  }

  /** A channel to this manager, and to no other. */
  public Channel to(String address) {
    return new Channel() {
      @Override
      public <A, B> ClientCall<A, B> newCall(MethodDescriptor<A, B> method, CallOptions options) {
        return peer(address, HostPort.parse(address, NetworkDoor.PORT)).newCall(method, options);
      }

      @Override
      public String authority() {
        return Tls.AUTHORITY;
      }
    };
  }

  /** @param place where its name leads now: that of a container moves when it is made anew */
  private synchronized ManagedChannel peer(String address, InetSocketAddress place) {
    Connection known = byAddress.get(address);
    boolean moved = known != null && !place.isUnresolved() && !known.place.equals(place); // a name that nobody can look up now has not moved
    if (known == null || moved) {
      if (known != null) {
        known.channel.shutdown(); // open calls go on
      }
      known = new Connection(address, place, connected(place));
      byAddress.put(address, known);
      if (byAddress.size() > MOST_PEERS) {
        byAddress.remove(byAddress.keySet().iterator().next()).channel.shutdown();
      }
    }
    if (known.channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
      known.channel.resetConnectBackoff(); // who calls has its own
    }
    return known.channel;
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
    byAddress.values().forEach(connection -> connection.channel.shutdownNow());
    byAddress.clear();
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
