package dev.skep.runtime.grpc;

import dev.skep.runtime.identity.Caller;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * A gRPC service for programs on this machine, on a unix socket of mode 0600. Who may open the socket is an API client:
 * never a node, and never one of the process's own services. Handlers run on virtual threads.
 */
public final class UnixSocketServer implements AutoCloseable {
  private static final int MAX_MESSAGE = 4 << 20;
  private static final int MAX_CALLS = 1024; // of one connection at once

  private final Server server;
  private final EventLoopGroup loops;
  private final Path socket;

  private UnixSocketServer(Server server, EventLoopGroup loops, Path socket) {
    this.server = server;
    this.loops = loops;
    this.socket = socket;
  }

  /** Replaces a socket file that is left over. */
  public static UnixSocketServer start(Path socket, BindableService service) throws IOException {
    Files.createDirectories(socket.getParent());
    Files.deleteIfExists(socket);
    EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    try {
      Server server =
          NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
              .channelType(EpollServerDomainSocketChannel.class)
              .bossEventLoopGroup(loops)
              .workerEventLoopGroup(loops)
              .withChildOption(ChannelOption.SO_KEEPALIVE, null) // set for every connection, and unix sockets have none
              .maxInboundMessageSize(MAX_MESSAGE)
              .maxConcurrentCallsPerConnection(MAX_CALLS)
              .executor(Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("control-call-", 0).factory()))
              .addService(ServerInterceptors.intercept(service, Callers.network(_ -> new Caller.ApiClient("local"))))
              .build()
              .start();
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
      return new UnixSocketServer(server, loops, socket);
    } catch (IOException e) {
      loops.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      throw new IOException("cannot serve gRPC on unix://" + socket + ": " + e.getMessage(), e);
    }
  }

  /** Calls under way are cancelled. */
  @Override
  public void close() {
    server.shutdownNow();
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    socket.toFile().delete();
  }
}
