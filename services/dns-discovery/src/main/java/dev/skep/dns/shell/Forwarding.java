package dev.skep.dns.shell;

import dev.skep.dns.core.Query;
import dev.skep.dns.core.Replies;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One question on its way through other resolvers. */
final class Forwarding {
  /** Each server is asked at most so often. */
  private static final int ROUNDS = 2;

  private final Forwarder forwarder;
  private final byte[] message;
  private final Query query;
  private final List<InetSocketAddress> servers;
  private final boolean tcp;
  private final long retryNanos;
  private final long patienceNanos;
  private final Forwarder.Ends ends;
  private final List<Channel> open = new ArrayList<>();
  private byte[] refusal; // what to say if nobody says better
  private int asked;
  private int waiting;
  private boolean done;

  Forwarding(
      Forwarder forwarder,
      byte[] message,
      Query query,
      List<InetSocketAddress> servers,
      boolean tcp,
      long retryNanos,
      long patienceNanos,
      Forwarder.Ends ends) {
    this.forwarder = forwarder;
    this.message = message;
    this.query = query;
    this.servers = servers;
    this.tcp = tcp;
    this.retryNanos = retryNanos;
    this.patienceNanos = patienceNanos;
    this.ends = ends;
  }

  void begin() {
    forwarder.loop.schedule(
        () -> {
          if (!done) {
            // Nobody answered in all this time: those who were asked rest.
            servers.subList(0, Math.min(asked, servers.size())).forEach(forwarder::silent);
            end(refusal);
          }
        },
        patienceNanos,
        TimeUnit.NANOSECONDS);
    askNext();
  }

  private void askNext() {
    if (done) {
      return;
    }
    if (asked >= servers.size() * ROUNDS) {
      if (waiting == 0) {
        end(refusal);
      }
      return;
    }
    InetSocketAddress server = servers.get(asked++ % servers.size());
    int turn = asked;
    askUdp(server);
    forwarder.loop.schedule(
        () -> {
          if (asked == turn) {
            askNext();
          }
        },
        retryNanos,
        TimeUnit.NANOSECONDS);
  }

  private void askUdp(InetSocketAddress server) {
    int id = forwarder.random.nextInt(1 << 16);
    SocketProtocolFamily family = server.getAddress() instanceof Inet4Address ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
    EpollDatagramChannel socket = new EpollDatagramChannel(family);
    socket.config().setAllocator(forwarder.allocator);
    socket.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(65_535));
    waiting++;
    open.add(socket);
    socket
        .pipeline()
        .addLast(
            new Listens<DatagramPacket>(DatagramPacket.class, server, id) {
              @Override
              ByteBuf content(DatagramPacket packet) {
                return packet.content();
              }
            });
    forwarder.loop.register(socket);
    socket.connect(server).addListener((ChannelFuture ready) -> send(ready, withId(id, 0)));
  }

  private void askTcp(InetSocketAddress server) {
    int id = forwarder.random.nextInt(1 << 16);
    waiting++;
    ChannelFuture connecting =
        new Bootstrap()
            .group(forwarder.loop)
            .channel(EpollSocketChannel.class)
            .option(ChannelOption.ALLOCATOR, forwarder.allocator)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.max(1, TimeUnit.NANOSECONDS.toMillis(patienceNanos)))
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel
                        .pipeline()
                        .addLast(new LengthFieldBasedFrameDecoder(65_535, 0, 2, 0, 2))
                        .addLast(
                            new Listens<ByteBuf>(ByteBuf.class, server, id) {
                              @Override
                              ByteBuf content(ByteBuf frame) {
                                return frame;
                              }
                            });
                  }
                })
            .connect(server);
    open.add(connecting.channel());
    connecting.addListener((ChannelFuture ready) -> send(ready, withId(id, 2)));
  }

  private void send(ChannelFuture ready, byte[] bytes) {
    if (ready.isSuccess()) {
      ready.channel().writeAndFlush(Unpooled.wrappedBuffer(bytes), ready.channel().voidPromise());
    } else {
      lost();
    }
  }

  private byte[] withId(int id, int lengthBytes) {
    byte[] bytes = new byte[lengthBytes + message.length];
    System.arraycopy(message, 0, bytes, lengthBytes, message.length);
    if (lengthBytes == 2) {
      bytes[0] = (byte) (message.length >> 8);
      bytes[1] = (byte) message.length;
    }
    bytes[lengthBytes] = (byte) (id >> 8);
    bytes[lengthBytes + 1] = (byte) id;
    return bytes;
  }

  /** This server will not answer this time: the next one, at once. */
  private void lost() {
    waiting--;
    askNext();
  }

  private void end(byte[] reply) {
    if (done) {
      return;
    }
    done = true;
    open.forEach(Channel::close);
    if (reply != null) {
      Replies.adopt(message, query, reply);
    }
    ends.end(reply, reply == null ? 0 : reply.length);
  }

  /** Waits for one server's answer. */
  private abstract class Listens<T> extends SimpleChannelInboundHandler<T> {
    private final InetSocketAddress server;
    private final int id;
    private boolean over;

    Listens(Class<T> type, InetSocketAddress server, int id) {
      super(type);
      this.server = server;
      this.id = id;
    }

    abstract ByteBuf content(T received);

    @Override
    protected void channelRead0(ChannelHandlerContext context, T received) {
      if (done || over) {
        return;
      }
      ByteBuf content = content(received);
      byte[] reply = new byte[content.readableBytes()];
      content.readBytes(reply);
      switch (Replies.judge(message, query, id, reply, reply.length)) {
        case STRANGE -> {}
        case FAILED -> {
          forwarder.answers(server);
          refusal = reply.length >= query.questionEnd() ? reply : refusal;
          giveUp(context);
        }
        case CUT -> {
          forwarder.answers(server);
          if (tcp && context.channel() instanceof EpollDatagramChannel) {
            over = true;
            context.close();
            waiting--;
            askTcp(server);
          } else {
            end(reply);
          }
        }
        case GOOD -> {
          forwarder.answers(server);
          end(reply);
        }
      }
    }

    private void giveUp(ChannelHandlerContext context) {
      if (!over && !done) {
        over = true;
        context.close();
        lost();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      giveUp(context);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      giveUp(context); // mostly: nobody listens there
    }
  }
}
