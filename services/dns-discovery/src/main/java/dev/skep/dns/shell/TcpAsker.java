package dev.skep.dns.shell;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.LengthFieldPrepender;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A TCP connection that asks: any number of questions, answered as answers come. */
final class TcpAsker extends SimpleChannelInboundHandler<ByteBuf> {
  private static final int MAX_UNANSWERED = 64;

  private final DnsServer server;
  private boolean counted;
  private int unanswered;

  private TcpAsker(DnsServer server) {
    super(ByteBuf.class);
    this.server = server;
  }

  static void install(Channel channel, DnsServer server, Duration idle) {
    channel
        .pipeline()
        .addLast(new IdleStateHandler(0, 0, idle.toMillis(), TimeUnit.MILLISECONDS))
        .addLast(new LengthFieldBasedFrameDecoder(65_537, 0, 2, 0, 2))
        .addLast(new LengthFieldPrepender(2))
        .addLast(new TcpAsker(server));
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    counted = true;
    if (!server.tcpOpened()) {
      context.close();
    }
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, ByteBuf frame) {
    if (++unanswered > MAX_UNANSWERED || !context.channel().isWritable()) {
      context.close(); // asks without listening
      return;
    }
    InetSocketAddress sender = (InetSocketAddress) context.channel().remoteAddress();
    if (sender == null) {
      context.close();
      return;
    }
    server.receivedTcp(
        frame,
        sender.getAddress(),
        answer -> {
          unanswered--;
          context.writeAndFlush(answer);
        });
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof IdleStateEvent) {
      context.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (counted) {
      server.tcpClosed();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close();
  }
}
