package dev.skep.load.edge;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** The clients. One event loop owns all of one run, so counting needs no locks. */
final class TcpLoad {
  private static final ByteBuf REQUEST = Unpooled.unreleasableBuffer(Unpooled.directBuffer(64).writeZero(64)).asReadOnly();
  private static final int TARGETS = 8; // several addresses of this host, for more ports on the clients' side

  /** Shapes of load. */
  enum Shape {
    SMALL("64 B there and back, 64 connections", 64),
    CONNECT("connect, 64 B there and back, close", 32),
    BULK("download, 4 connections", 4);

    final String text;
    private final int parallel;

    Shape(String text, int parallel) {
      this.text = text;
      this.parallel = parallel;
    }
  }

  /** What came of one run: {@code work} is answers, connections or bytes. */
  record Result(double work, double seconds, long failures, double p50Micros, double p99Micros) {}

  private final EventLoopGroup loops;
  private final Shape shape;
  private final int port;
  private final Histogram times = new Histogram(3);
  private final List<Channel> open = new ArrayList<>();
  private long work;
  private long failures;
  private int next;
  private boolean over;

  private TcpLoad(EventLoopGroup loops, Shape shape, int port) {
    this.loops = loops;
    this.shape = shape;
    this.port = port;
  }

  static Result run(EventLoopGroup loops, Shape shape, int port, Duration length) throws InterruptedException {
    TcpLoad load = new TcpLoad(loops, shape, port);
    var loop = loops.next();
    long begin = System.nanoTime();
    loop.submit(() -> {
      for (int n = 0; n < shape.parallel; n++) {
        load.connect();
      }
    }).sync();
    TimeUnit.NANOSECONDS.sleep(length.toNanos());
    Result result = loop.submit(() -> {
      load.over = true;
      return new Result(load.work, (System.nanoTime() - begin) / 1e9, load.failures,
          load.times.getValueAtPercentile(50) / 1e3, load.times.getValueAtPercentile(99) / 1e3);
    }).sync().getNow();
    loop.submit(() -> List.copyOf(load.open).forEach(Channel::close)).sync();
    return result;
  }

  private void connect() {
    String address = shape == Shape.CONNECT ? "127.0.0." + (1 + next++ % TARGETS) : "127.0.0.1";
    String direct = Ports.BACKENDS[next++ % Ports.BACKENDS.length];
    boolean behindProxy = port >= Ports.Proxy.SKEP.base;
    new Bootstrap()
        .group(loops)
        .channel(EpollSocketChannel.class)
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new Client());
              }
            })
        .connect(new InetSocketAddress(behindProxy ? address : direct, port))
        .addListener((ChannelFuture done) -> {
          if (!done.isSuccess()) {
            failures++;
            System.err.println(shape + " at " + port + ": " + done.cause());
            again();
          }
        });
  }

  private void again() {
    if (!over) {
      connect();
    }
  }

  private final class Client extends SimpleChannelInboundHandler<ByteBuf> {
    private final long begun = System.nanoTime();
    private long sent;
    private int missing;
    private boolean answered;

    @Override
    public void channelActive(ChannelHandlerContext context) {
      open.add(context.channel());
      if (shape != Shape.BULK) {
        ask(context);
      }
    }

    private void ask(ChannelHandlerContext context) {
      sent = System.nanoTime();
      missing = REQUEST.readableBytes();
      context.writeAndFlush(REQUEST.duplicate(), context.voidPromise());
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, ByteBuf bytes) {
      if (shape == Shape.BULK) {
        work += bytes.readableBytes();
        return;
      }
      missing -= bytes.readableBytes();
      if (missing > 0) {
        return;
      }
      work++;
      times.recordValue(System.nanoTime() - (shape == Shape.SMALL ? sent : begun));
      if (shape == Shape.SMALL && !over) {
        ask(context);
      } else {
        answered = true;
        context.close();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      open.remove(context.channel());
      if (shape == Shape.CONNECT || !over) {
        if (!answered && !over) {
          failures++;
          System.err.println(shape + " at " + port + ": ended early after " + (System.nanoTime() - begun) / 1_000_000 + " ms, answers " + work);
        }
        again();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      System.err.println(shape + " at " + port + ": " + cause);
      context.close(); // counted when it is inactive
    }
  }
}
