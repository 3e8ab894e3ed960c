package dev.skep.ingress.shell;

import dev.skep.ingress.core.Backend;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;

/** One client's datagrams and the task that answers them: a socket of its own towards the task. */
final class UdpFlow extends ChannelInboundHandlerAdapter {
  private final Traffic traffic;
  private final EventLoop loop;
  private final Backend task;
  private final InetSocketAddress client;
  private final Channel asked;
  private final UdpPublished.Ended ended;
  private EpollDatagramChannel socket;
  long used = System.nanoTime();

  UdpFlow(Traffic traffic, EventLoop loop, Backend task, InetSocketAddress client, Channel asked, UdpPublished.Ended ended) {
    this.traffic = traffic;
    this.loop = loop;
    this.task = task;
    this.client = client;
    this.asked = asked;
    this.ended = ended;
  }

  Backend task() {
    return task;
  }

  /** Connecting a datagram socket only tells the kernel the other side, so it is done at once. */
  void open() {
    socket = new EpollDatagramChannel(SocketProtocolFamily.INET);
    socket.config().setAllocator(traffic.allocator);
    socket.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(65_535));
    socket.pipeline().addLast(this);
    loop.register(socket);
    socket
        .connect(new InetSocketAddress(task.address(), task.port()))
        .addListener(
            (ChannelFuture done) -> {
              if (!done.isSuccess()) {
                close(true);
              }
            });
  }

  void toTask(ByteBuf content) {
    socket.writeAndFlush(content, socket.voidPromise());
  }

  void close() {
    close(false);
  }

  private void close(boolean unreachable) {
    ended.tell(this, unreachable);
    socket.close();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    DatagramPacket answer = (DatagramPacket) message;
    used = System.nanoTime();
    asked.write(new DatagramPacket(answer.content(), client), asked.voidPromise());
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    asked.flush();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    close(false);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    // The client's next datagram begins a flow to another task.
    close(cause instanceof PortUnreachableException || String.valueOf(cause.getMessage()).contains("(-111)"));
  }
}
