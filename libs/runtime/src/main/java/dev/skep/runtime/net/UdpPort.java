package dev.skep.runtime.net;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollDatagramChannelConfig;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.Socket;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A UDP port on all addresses of this host whose answers leave from the address that was asked. A client drops an
 * answer from elsewhere, and the kernel would pick the source by its route to the client. So one socket listens on
 * every IPv4 address and tells which one was asked; the first datagram to an address opens a socket of its own there,
 * which then receives and answers for it. IPv6 has one socket for all addresses: Netty does not tell which one was
 * asked, so there the kernel does pick the source. Everything runs on one event loop.
 */
public final class UdpPort {
  /** How datagrams are read: the largest one, and how many with one system call. */
  public record Reads(int largest, int batch) {}

  /** Runs on the port's event loop. */
  public interface Receiver {
    /**
     * Takes over the packet. An answer is written to {@code from}: with {@code write} if at once (the port flushes),
     * with {@code writeAndFlush} if later.
     */
    void received(DatagramPacket packet, Channel from);
  }

  private static final Logger LOG = LoggerFactory.getLogger(UdpPort.class);
  /** Addresses with a socket of their own; beyond, the one that was not asked for the longest time gives way. */
  private static final int MAX_ADDRESSES = 256;
  /** The IPv4 addresses are the other socket's. */
  private static final IntegerUnixChannelOption V6ONLY = new IntegerUnixChannelOption("IPV6_V6ONLY", 41, 26);

  private final EventLoop loop;
  private final int port;
  private final Reads reads;
  private final Receiver receiver;
  private final ByteBufAllocator allocator;
  private final LinkedHashMap<InetAddress, Channel> byAddress = new LinkedHashMap<>(16, 0.75f, true);
  private Channel any;
  private Channel anyV6;

  private UdpPort(EventLoop loop, int port, Reads reads, ByteBufAllocator allocator, Receiver receiver) {
    this.loop = loop;
    this.port = port;
    this.reads = reads;
    this.allocator = allocator;
    this.receiver = receiver;
  }

  /** Fails with a BindException when the port is not free. A predecessor's socket with SO_REUSEPORT does not count. */
  public static Future<UdpPort> open(EventLoop loop, int port, Reads reads, ByteBufAllocator allocator, Receiver receiver) {
    UdpPort opened = new UdpPort(loop, port, reads, allocator, receiver);
    Promise<UdpPort> promise = loop.newPromise();
    loop.execute(
        () -> {
          EpollDatagramChannel any = opened.socket(SocketProtocolFamily.INET);
          any.config().setOption(EpollChannelOption.IP_RECVORIGDSTADDR, true);
          opened.any = any;
          any.bind(new InetSocketAddress("0.0.0.0", port))
              .addListener(
                  done -> {
                    if (done.isSuccess()) {
                      opened.listenOnV6();
                      promise.setSuccess(opened);
                    } else {
                      any.close();
                      promise.setFailure(done.cause());
                    }
                  });
        });
    return promise;
  }

  /** As well as it goes: a host may have no IPv6, and whoever holds the port there alone keeps it. */
  private void listenOnV6() {
    if (!Socket.isIPv6Preferred()) {
      return;
    }
    try {
      EpollDatagramChannel own = socket(SocketProtocolFamily.INET6);
      own.config().setOption(V6ONLY, 1);
      own.bind(new InetSocketAddress("::", port()));
      if (own.isActive()) {
        anyV6 = own;
      } else {
        LOG.info("udp port {} answers on IPv4 only", port());
        own.close();
      }
    } catch (ChannelException noSuchFamily) {
      LOG.info("udp port {} answers on IPv4 only: {}", port(), noSuchFamily.toString());
    }
  }

  public int port() {
    return ((InetSocketAddress) any.localAddress()).getPort();
  }

  /** Closes all sockets; what was queued in them is lost. */
  public Future<?> close() {
    return loop.submit(
        () -> {
          any.close();
          if (anyV6 != null) {
            anyV6.close();
          }
          Map.copyOf(byAddress).values().forEach(Channel::close);
          byAddress.clear();
        });
  }

  /** Made by hand and not by a Bootstrap, which would bind a turn of the loop later: the first answer needs it now. */
  private EpollDatagramChannel socket(SocketProtocolFamily family) {
    EpollDatagramChannel socket = new EpollDatagramChannel(family);
    EpollDatagramChannelConfig config = socket.config();
    config.setAllocator(allocator);
    config.setReusePort(true);
    config.setReceiveBufferSize(1 << 20);
    config.setRecvByteBufAllocator(new FixedRecvByteBufAllocator(reads.largest() * reads.batch()));
    if (reads.batch() > 1) {
      config.setMaxDatagramPayloadSize(reads.largest());
    }
    socket.pipeline().addLast(new Receives());
    loop.register(socket);
    return socket;
  }

  /** The socket that speaks for the address; the common one until its own is bound or when it cannot be. */
  private Channel speaker(InetAddress asked) {
    Channel known = byAddress.get(asked);
    if (known != null) {
      return known;
    }
    Channel own = socket(SocketProtocolFamily.INET);
    own.bind(new InetSocketAddress(asked, port()));
    if (!own.isActive()) {
      LOG.debug("no socket of its own for {}", asked);
      own.close();
      return any;
    }
    byAddress.put(asked, own);
    own.closeFuture().addListener(done -> byAddress.remove(asked, own));
    if (byAddress.size() > MAX_ADDRESSES) {
      byAddress.values().iterator().next().close();
    }
    return own;
  }

  private final class Receives extends ChannelInboundHandlerAdapter {
    private Channel spoke;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      DatagramPacket packet = (DatagramPacket) message;
      Channel from = context.channel();
      if (from == any && packet.recipient() != null && !packet.recipient().getAddress().isAnyLocalAddress()) {
        from = speaker(packet.recipient().getAddress());
        if (spoke != null && spoke != from) {
          spoke.flush();
        }
        spoke = from;
      }
      receiver.received(packet, from);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      context.flush();
      if (spoke != null) {
        spoke.flush();
        spoke = null;
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      // An ICMP error for an earlier answer, or a client that is gone: the port goes on.
      LOG.debug("udp port {}: {}", port, cause.toString());
    }
  }
}
