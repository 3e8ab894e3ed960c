package dev.skep.ingress.shell;

import dev.skep.ingress.core.Backend;
import dev.skep.ingress.core.Route;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import io.prometheus.client.Counter;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;

/** One listener for IPv4 and IPv6; its connections are spread over all event loops. */
final class TcpPort implements OpenPort {
  // Accepted sockets inherit these from the listener, which saves system calls for each connection.
  private static final ChannelOption<Integer> KEEPALIVE = new IntegerUnixChannelOption("SO_KEEPALIVE", 1, 9);
  private static final ChannelOption<Integer> KEEPALIVE_IDLE = new IntegerUnixChannelOption("TCP_KEEPIDLE", 6, 4);
  private static final ChannelOption<Integer> KEEPALIVE_INTERVAL = new IntegerUnixChannelOption("TCP_KEEPINTVL", 6, 5);
  private static final int BACKLOG = 4096;

  final Traffic traffic;
  final Rotation rotation;
  private volatile Target target;
  private Channel listener;

  /** The route with what each connection needs of it, looked up once. */
  record Target(
      Route route,
      Map<Backend, InetSocketAddress> addresses,
      Counter.Child accepted,
      Counter.Child failedAttempts,
      Counter.Child unreachable,
      Counter.Child full) {
    static Target of(Traffic traffic, Route route) {
      Map<Backend, InetSocketAddress> addresses = new HashMap<>();
      for (Backend backend : route.backends()) {
        addresses.put(backend, new InetSocketAddress(backend.address(), backend.port()));
      }
      String published = route.published().toString();
      return new Target(
          route,
          Map.copyOf(addresses),
          traffic.accepted.labels(published, route.serviceName()),
          traffic.failedAttempts.labels(published, route.serviceName()),
          traffic.refused.labels(published, "no task answers"),
          traffic.refused.labels(published, "too many connections"));
    }
  }

  private TcpPort(Traffic traffic, Route route) {
    this.traffic = traffic;
    this.rotation = new Rotation(traffic.config.rest().toNanos());
    this.rotation.replace(route.backends());
    this.target = Target.of(traffic, route);
  }

  /** Fails with the bind's IOException. */
  static Future<OpenPort> open(Traffic traffic, Route route) {
    TcpPort port = new TcpPort(traffic, route);
    Promise<OpenPort> promise = traffic.loops.next().newPromise();
    new ServerBootstrap()
        .group(traffic.loops)
        .channel(EpollServerSocketChannel.class)
        .option(EpollChannelOption.SO_REUSEPORT, true)
        .option(ChannelOption.SO_REUSEADDR, true)
        .option(ChannelOption.SO_BACKLOG, BACKLOG)
        .option(KEEPALIVE, 1)
        .option(KEEPALIVE_IDLE, 60)
        .option(KEEPALIVE_INTERVAL, 15)
        .childOption(ChannelOption.ALLOCATOR, traffic.allocator)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, traffic.waterMark)
        .childHandler(
            new ChannelInitializer<EpollSocketChannel>() {
              @Override
              protected void initChannel(EpollSocketChannel client) {
                port.accepted(client);
              }
            })
        .bind(new InetSocketAddress(route.published().port()))
        .addListener(
            (ChannelFuture done) -> {
              if (done.isSuccess()) {
                port.listener = done.channel();
                promise.setSuccess(port);
              } else {
                promise.setFailure(done.cause());
              }
            });
    return promise;
  }

  Target target() {
    return target;
  }

  private void accepted(EpollSocketChannel client) {
    // The handler is in place before the first event: epoll tells of an early end of input even while reading is off.
    TcpSession session = new TcpSession(this, client);
    client.pipeline().addLast(session.clientSide());
  }

  @Override
  public Future<?> route(Route route) {
    target = Target.of(traffic, route);
    rotation.replace(route.backends());
    return traffic.loops.next().newSucceededFuture(null);
  }

  @Override
  public Future<?> close() {
    return listener.close();
  }
}
