package dev.skep.runtime.grpc;

import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.identity.Caller;
import dev.skep.runtime.identity.Trust;
import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The network door of a manager: everything that the host's components serve, over TLS 1.3, to whom the table of RPCs
 * names. Taking the port is one thing and cheap; what serves it is loaded on a thread of its own, and the kernel keeps
 * those waiting who connect meanwhile.
 */
public final class GrpcDoor implements NetworkDoor {
  private static final Logger LOG = LoggerFactory.getLogger(GrpcDoor.class);
  private static final int BACKLOG = 1024;
  private static final int CONNECTIONS = 8192;
  private static final int CONNECTIONS_OF_ONE_HOST = 512;
  private static final int CALLS_OF_ONE_CONNECTION = 256;
  private static final int LARGEST_MESSAGE = 4 << 20;
  private static final int LARGEST_HEADERS = 16 << 10;
  private static final int HANDSHAKE_SECONDS = 10;
  private static final int PROBE_AFTER_SECONDS = 10; // of silence on a connection
  private static final int PROBE_PATIENCE_SECONDS = 5;
  private static final int PORT_SECONDS = 5; // to give the port back
  private static final int LOOPS = 2;

  private final LocalServices services;
  private final Trust trust;
  private final Callers.Roles roles;
  private final Executor calls;
  private final Consumer<Runnable> threads;
  private final UnaryOperator<InetSocketAddress> place;
  private Open open; // guarded by this

  private static final class Open {
    private final String asked;
    private final ServerSocketChannel socket;
    private final BoundListener.Connections connections = new BoundListener.Connections(CONNECTIONS, CONNECTIONS_OF_ONE_HOST);
    private EventLoopGroup listener;
    private EventLoopGroup loops;
    private Server server;
    private boolean closed;

    private Open(String asked, ServerSocketChannel socket) {
      this.asked = asked;
      this.socket = socket;
    }
  }

  /**
   * @param roles what nodes of the cluster are
   * @param calls runs handlers; they may block
   * @param threads runs its argument on a thread of its own
   * @param place where to listen in place of what is asked: for tests
   */
  public GrpcDoor(
      LocalServices services, Trust trust, Callers.Roles roles, Executor calls, Consumer<Runnable> threads,
      UnaryOperator<InetSocketAddress> place) {
    this.services = services;
    this.trust = trust;
    this.roles = roles;
    this.calls = calls;
    this.threads = threads;
    this.place = place;
  }

  @Override
  public synchronized String open(String listenAddress) throws IOException {
    if (open != null && (open.asked.equals(listenAddress) || address(open).equals(listenAddress))) {
      return address(open);
    }
    Open next = new Open(listenAddress, bound(listenAddress));
    close();
    open = next;
    LOG.info("other nodes reach this manager at {}", address(next));
    threads.accept(() -> serve(next));
    return address(next);
  }

  /** host:port where it is open now. */
  public synchronized Optional<String> address() {
    return Optional.ofNullable(open).map(GrpcDoor::address);
  }

  private static String address(Open open) {
    try {
      return HostPort.of((InetSocketAddress) open.socket.getLocalAddress());
    } catch (IOException _) { // closed meanwhile
      return open.asked;
    }
  }

  private ServerSocketChannel bound(String listenAddress) throws IOException {
    InetSocketAddress address = place.apply(HostPort.parse(listenAddress, PORT));
    boolean any = address.getAddress() != null && address.getAddress().isAnyLocalAddress();
    ServerSocketChannel socket = any ? ServerSocketChannel.open() : ServerSocketChannel.open(StandardProtocolFamily.INET);
    try {
      socket.setOption(StandardSocketOptions.SO_REUSEADDR, true); // connections of a process before this one do not hold the port
      socket.bind(address, BACKLOG);
      return socket;
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw new IOException("listen tcp " + HostPort.of(address) + ": bind: " + reason(e), e);
    }
  }

  private static String reason(Exception failure) {
    String said = String.valueOf(failure.getMessage());
    if (failure instanceof BindException) {
      return said.contains("assign") ? "cannot assign requested address" : "address already in use";
    }
    return said;
  }

  private void serve(Open door) {
    synchronized (door) { // ended before this or after it: a server whose loops end while it starts can never be shut down
      if (door.closed) {
        return;
      }
      door.listener = loops("door-listener", 1);
      door.loops = loops("door", LOOPS);
      try {
        door.server = NettyServerBuilder.forAddress(door.socket.getLocalAddress())
            .channelFactory(() -> new BoundListener(door.socket, door.connections))
            .bossEventLoopGroup(door.listener)
            .workerEventLoopGroup(door.loops)
            .sslContext(Tls.server(trust))
            .handshakeTimeout(HANDSHAKE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTime(PROBE_AFTER_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(PROBE_PATIENCE_SECONDS, TimeUnit.SECONDS)
            .permitKeepAliveTime(1, TimeUnit.SECONDS)
            .maxConnectionIdle(1, TimeUnit.MINUTES)
            .maxConcurrentCallsPerConnection(CALLS_OF_ONE_CONNECTION)
            .maxInboundMessageSize(LARGEST_MESSAGE)
            .maxInboundMetadataSize(LARGEST_HEADERS)
            .executor(calls)
            .fallbackHandlerRegistry(services.offered())
            .intercept(Callers.network(connection -> caller(door, connection), roles))
            .build()
            .start();
      } catch (IOException e) {
        throw new IllegalStateException("the network door at " + door.asked + " cannot be served", e);
      }
    }
  }

  private static EventLoopGroup loops(String name, int threads) {
    return new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
  }

  private Caller caller(Open door, Attributes connection) {
    SSLSession session = connection.get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
    Caller caller = session == null ? new Caller.Stranger() : trust.caller(session);
    if (caller instanceof Caller.Node node) {
      SocketAddress peer = connection.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
      if (peer != null) {
        door.connections.is(peer, node.nodeId());
      }
    }
    return caller;
  }

  /** Ends all connections of these nodes. Their calls are refused already: this is for what hangs on. */
  public synchronized void end(Predicate<String> nodes) {
    if (open != null) {
      open.connections.end(nodes);
    }
  }

  @Override
  public synchronized void close() {
    if (open != null) {
      synchronized (open) {
        open.closed = true;
        end(open);
      }
      open = null;
    }
  }

  /** The port is free when this returns. */
  private static void end(Open door) {
    try {
      door.socket.close();
    } catch (IOException e) {
      LOG.warn("the port of {} is not given back: {}", door.asked, e.getMessage());
    }
    if (door.server != null) {
      door.server.shutdownNow();
    }
    if (door.loops != null) {
      // A closed channel goes on listening until its selector has let go of it, and an ended loop has closed its selector.
      if (!door.listener.shutdownGracefully(0, PORT_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly(PORT_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("the port of {} is not given back after {} s", door.asked, PORT_SECONDS);
      }
      door.loops.shutdownGracefully(1, 5, TimeUnit.SECONDS); // calls hear that they are cancelled, and may still say something
    }
  }
}
