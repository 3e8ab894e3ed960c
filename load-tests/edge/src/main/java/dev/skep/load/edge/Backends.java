package dev.skep.load.edge;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;

/** The tasks behind the proxies: echo, and a stream without end. */
final class Backends {
  private static final ByteBuf BLOCK = Unpooled.unreleasableBuffer(Unpooled.directBuffer(256 << 10).writeZero(256 << 10)).asReadOnly();

  private Backends() {}

  static void start(EventLoopGroup loops) throws InterruptedException {
    for (String address : Ports.BACKENDS) {
      listen(loops, address, Ports.ECHO, Echo::new);
      listen(loops, address, Ports.STREAM, Stream::new);
    }
  }

  private static void listen(EventLoopGroup loops, String address, int port, java.util.function.Supplier<ChannelInboundHandlerAdapter> handler)
      throws InterruptedException {
    new ServerBootstrap()
        .group(loops)
        .channel(EpollServerSocketChannel.class)
        .childHandler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                channel.pipeline().addLast(handler.get());
              }
            })
        .bind(new InetSocketAddress(address, port))
        .sync();
  }

  private static class Echo extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      context.writeAndFlush(message, context.voidPromise());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      System.err.println("backend: " + cause);
      context.close();
    }
  }

  private static final class Stream extends Echo {
    @Override
    public void channelActive(ChannelHandlerContext context) {
      fill(context);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      fill(context);
    }

    private void fill(ChannelHandlerContext context) {
      while (context.channel().isWritable() && context.channel().isActive()) {
        context.write(BLOCK.duplicate(), context.voidPromise());
        context.flush();
      }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ReferenceCountUtil.release(message);
    }
  }
}
