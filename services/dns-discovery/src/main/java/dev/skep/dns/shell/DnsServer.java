package dev.skep.dns.shell;

import dev.skep.dns.DnsConfig;
import dev.skep.dns.core.Answers;
import dev.skep.dns.core.Asker;
import dev.skep.dns.core.Query;
import dev.skep.dns.core.Zone;
import dev.skep.runtime.net.Handover;
import dev.skep.runtime.net.UdpPort;
import dev.skep.state.FeedState;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The resolver on UDP and TCP. One event loop does everything; the zone is replaced from outside. */
public final class DnsServer {
  private static final UdpPort.Reads READS = new UdpPort.Reads(2048, 32);

  private final DnsConfig config;
  private final EventLoopGroup group;
  private final EventLoop loop;
  private final ByteBufAllocator allocator = PooledByteBufAllocator.DEFAULT;
  private final Forwarder forwarder;
  private final Counts counts;
  // the event loop's scratch space
  private final byte[] in = new byte[Answers.ROOM];
  private final byte[] out = new byte[Answers.ROOM];
  private int turn;
  private int tcpConnections;
  private UdpPort udp;
  private Channel tcp;
  private volatile Zone zone = Zone.of(FeedState.empty());
  private volatile List<InetSocketAddress> upstreams = List.of();

  public DnsServer(DnsConfig config, CollectorRegistry registry) {
    this.config = config;
    this.group = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("dns", true), EpollIoHandler.newFactory());
    this.loop = group.next();
    this.forwarder = new Forwarder(loop, allocator, config);
    this.counts = new Counts(registry, forwarder::waiting, () -> zone.names());
  }

  public void zone(Zone next) {
    zone = next;
  }

  public Zone zone() {
    return zone;
  }

  /** The node's resolvers. */
  public void upstreams(List<InetSocketAddress> next) {
    upstreams = List.copyOf(next);
  }

  /** Listens on the port, UDP and TCP. Fails when somebody other than our predecessor holds it. */
  public void listen(int port, Handover handover) throws IOException, InterruptedException {
    handover.check("udp", port);
    handover.check("tcp", port);
    Channel listener =
        new ServerBootstrap()
            .group(group)
            .channelFactory(EpollServerSocketChannel::new)
            .option(EpollChannelOption.SO_REUSEPORT, true)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.ALLOCATOR, allocator)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    TcpAsker.install(channel, DnsServer.this, config.tcpIdle());
                  }
                })
            .bind(new InetSocketAddress(port))
            .sync()
            .channel();
    try {
      udp = UdpPort.open(loop, port, READS, allocator, this::received).sync().getNow();
    } catch (Exception failed) {
      listener.close();
      throw failed;
    }
    tcp = listener;
  }

  /** Takes no more questions; those that wait for other resolvers are given until the bound. Blocks. */
  public void close() throws InterruptedException {
    if (group.isShuttingDown()) {
      return;
    }
    if (tcp != null) {
      tcp.close().sync();
      long end = System.nanoTime() + config.giveUp().toNanos();
      Future<Integer> waiting = loop.submit(forwarder::waiting).sync();
      while (waiting.getNow() > 0 && System.nanoTime() - end < 0) {
        TimeUnit.MILLISECONDS.sleep(10);
        waiting = loop.submit(forwarder::waiting).sync();
      }
      udp.close().sync();
    }
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }

  private void received(DatagramPacket packet, Channel from) {
    try {
      ByteBuf content = packet.content();
      int length = content.readableBytes();
      content.readBytes(in, 0, length);
      InetSocketAddress sender = packet.sender();
      int source = number(sender.getAddress());
      switch (Answers.answer(zone, in, length, source, false, turn++, out)) {
        case Answers.Outcome.Reply reply -> {
          counts.local(reply.code());
          from.write(datagram(out, reply.length(), sender), from.voidPromise());
        }
        case Answers.Outcome.Forward forward ->
            forward(forward, length, source, false, answer -> from.writeAndFlush(new DatagramPacket(answer, sender), from.voidPromise()));
        case Answers.Outcome.Silence silence -> counts.noise();
      }
    } finally {
      packet.release();
    }
  }

  private DatagramPacket datagram(byte[] bytes, int length, InetSocketAddress to) {
    return new DatagramPacket(allocator.directBuffer(length).writeBytes(bytes, 0, length), to);
  }

  /** A message over TCP; answers go to {@code reply}, at once or later. */
  void receivedTcp(ByteBuf frame, InetAddress sender, Consumer<ByteBuf> reply) {
    int length = frame.readableBytes();
    frame.readBytes(in, 0, length);
    int source = number(sender);
    switch (Answers.answer(zone, in, length, source, true, turn++, out)) {
      case Answers.Outcome.Reply local -> {
        counts.local(local.code());
        reply.accept(allocator.directBuffer(local.length()).writeBytes(out, 0, local.length()));
      }
      case Answers.Outcome.Forward forward -> forward(forward, length, source, true, reply);
      case Answers.Outcome.Silence silence -> counts.noise();
    }
  }

  boolean tcpOpened() {
    return ++tcpConnections <= config.maxTcp();
  }

  void tcpClosed() {
    tcpConnections--;
  }

  private void forward(Answers.Outcome.Forward forward, int length, int source, boolean tcp, Consumer<ByteBuf> reply) {
    byte[] message = Arrays.copyOf(in, length);
    Query query = forward.query();
    boolean taken =
        forwarder.ask(
            message,
            query,
            source,
            servers(forward.asker()),
            tcp,
            (bytes, size) -> {
              counts.forwarded(bytes != null);
              if (bytes == null) {
                reply.accept(failure(message, query));
              } else if (!tcp && size > query.payload()) {
                int cut = Answers.cut(message, query, out);
                reply.accept(allocator.directBuffer(cut).writeBytes(out, 0, cut));
              } else {
                reply.accept(allocator.directBuffer(size).writeBytes(bytes, 0, size));
              }
            });
    if (!taken) {
      counts.forwarded(false);
      reply.accept(failure(message, query));
    }
  }

  private ByteBuf failure(byte[] message, Query query) {
    int length = Answers.failure(message, query, Answers.SERVFAIL, out);
    return allocator.directBuffer(length).writeBytes(out, 0, length);
  }

  private List<InetSocketAddress> servers(Asker asker) {
    if (asker.servers().isEmpty()) {
      return upstreams;
    }
    List<InetSocketAddress> own = Resolvers.parse(asker.servers());
    return own.isEmpty() ? upstreams : own;
  }

  private static int number(InetAddress address) {
    byte[] bytes = address.getAddress();
    return bytes.length == 4 ? bytes[0] << 24 | (bytes[1] & 255) << 16 | (bytes[2] & 255) << 8 | bytes[3] & 255 : 0;
  }
}
