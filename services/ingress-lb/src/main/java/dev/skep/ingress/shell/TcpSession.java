package dev.skep.ingress.shell;

import dev.skep.ingress.core.Backend;
import dev.skep.ingress.core.ProxyHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.epoll.EpollSocketChannelConfig;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client's connection and the task's that serves it, on one event loop. What a side sends goes to the other; when
 * the other side is slow, reading stops; the end of one direction is passed on and leaves the other one open; a reset
 * is passed on as a reset. Until a task has accepted, what the client sent waits, so the client never learns of the
 * tasks that did not.
 */
final class TcpSession {
  private static final Logger LOG = LoggerFactory.getLogger(TcpSession.class);

  private final TcpPort port;
  private final TcpPort.Target target;
  private final Side client;
  private Side backend;
  private boolean connected;
  private List<ByteBuf> early = List.of();
  private List<Backend> tried = List.of();
  private boolean counted;

  TcpSession(TcpPort port, EpollSocketChannel channel) {
    this.port = port;
    this.target = port.target();
    this.client = new Side(channel);
  }

  ChannelInboundHandlerAdapter clientSide() {
    return client;
  }

  private void begin() {
    if (port.traffic.connections.incrementAndGet() > port.traffic.config.maxConnections()) {
      port.traffic.connections.decrementAndGet();
      target.full().inc();
      client.abort();
      return;
    }
    counted = true;
    target.accepted().inc();
    connect();
  }

  private void connect() {
    Backend next = tried.size() < port.traffic.config.attempts() ? port.rotation.next(tried, System.nanoTime()) : null;
    if (next == null) {
      target.unreachable().inc();
      client.abort();
      return;
    }
    if (tried.isEmpty()) {
      tried = List.of(next);
    } else {
      tried = new ArrayList<>(tried);
      tried.add(next);
    }
    EpollSocketChannel channel = new EpollSocketChannel();
    EpollSocketChannelConfig config = channel.config();
    config.setAllocator(port.traffic.allocator);
    config.setAllowHalfClosure(true);
    config.setConnectTimeoutMillis((int) port.traffic.config.connectTimeout().toMillis());
    config.setWriteBufferWaterMark(port.traffic.waterMark);
    config.setKeepAlive(true);
    Side side = new Side(channel);
    channel.pipeline().addLast(side);
    client.channel.eventLoop().register(channel);
    InetSocketAddress address = port.target().addresses().get(next);
    if (address == null) {
      address = new InetSocketAddress(next.address(), next.port());
    }
    backend = side;
    channel.connect(address).addListener((ChannelFuture done) -> connectDone(done, next));
  }

  private void connectDone(ChannelFuture done, Backend task) {
    if (client.gone) {
      backend.abort();
      return;
    }
    if (!done.isSuccess()) {
      LOG.debug("{} at {}: {}", target.route().published(), task, done.cause().toString());
      backend.channel.close();
      backend = null;
      target.failedAttempts().inc();
      port.rotation.failed(task, System.nanoTime());
      connect();
      return;
    }
    port.rotation.reached(task);
    connected = true;
    client.other = backend;
    backend.other = client;
    ProxyHeader header = target.route().header();
    if (header != ProxyHeader.NONE) {
      byte[] bytes = header.bytes(client.channel.remoteAddress(), client.channel.localAddress());
      backend.channel.write(Unpooled.wrappedBuffer(bytes), backend.channel.voidPromise());
    }
    for (ByteBuf waiting : early) {
      backend.channel.write(waiting, backend.channel.voidPromise());
    }
    early = List.of();
    backend.channel.flush();
    if (client.ended) {
      backend.finish();
    } else {
      client.channel.config().setAutoRead(true);
    }
  }

  private void clientGone() {
    early.forEach(ReferenceCountUtil::release);
    early = List.of();
    if (counted) {
      port.traffic.connections.decrementAndGet();
    }
    if (backend != null && !connected) {
      backend.channel.close(); // ends the attempt
    }
  }

  /** One of the two connections. */
  private final class Side extends ChannelInboundHandlerAdapter {
    private final EpollSocketChannel channel;
    private Side other;
    private boolean ended; // its input is at the end; it must not be read any more
    private boolean finished; // told that nothing more comes
    private boolean broken; // it failed, so its end is not a clean one
    private boolean gone;

    Side(EpollSocketChannel channel) {
      this.channel = channel;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      if (this == client) {
        begin();
      }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (other == null) {
        if (this != client || gone) {
          ReferenceCountUtil.release(message);
          return;
        }
        early = early.isEmpty() ? new ArrayList<>() : early;
        early.add((ByteBuf) message);
      } else if (other.gone || other.finished) {
        ReferenceCountUtil.release(message);
      } else {
        other.channel.write(message, other.channel.voidPromise());
        if (!other.channel.isWritable()) {
          other.channel.flush();
          if (!other.channel.isWritable()) {
            channel.config().setAutoRead(false);
          }
        }
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      if (other != null && !other.gone) {
        other.channel.flush();
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      if (other != null && channel.isWritable() && !other.ended && !other.gone) {
        other.channel.config().setAutoRead(true);
      }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event == ChannelInputShutdownEvent.INSTANCE && !ended) {
        ended = true;
        if (other != null) {
          other.finish();
        }
      }
    }

    /** Nothing more comes for this side: says so once everything before is sent; both directions done means the end. */
    void finish() {
      if (finished || gone) {
        return;
      }
      finished = true;
      channel
          .writeAndFlush(Unpooled.EMPTY_BUFFER)
          .addListener(
              sent -> {
                if (gone) {
                  return;
                }
                if (ended && other.finished) {
                  closeBoth();
                } else {
                  // From here its end is the end of all: without the detour over half-closed, which costs system calls.
                  channel.shutdownOutput();
                  channel.config().setAllowHalfClosure(false);
                }
              });
    }

    /** Both inputs ended. The side that was told first may still have bytes to send: then it closes when they are out. */
    private void closeBoth() {
      channel.close();
      other.closeWhenSent();
    }

    void closeWhenSent() {
      if (!gone) {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(sent -> channel.close());
      }
    }

    void abort() {
      if (!gone && channel.isOpen()) {
        channel.config().setSoLinger(0);
        channel.close();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      if (gone) {
        return;
      }
      gone = true;
      if (other != null && !other.gone) {
        if (ended || (finished && !broken)) {
          other.closeWhenSent();
        } else {
          other.abort();
        }
      }
      if (this == client) {
        clientGone();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      if (!(cause instanceof IOException)) {
        LOG.warn("a connection at {} failed", target.route().published(), cause);
      }
      broken = true;
      if (!gone && channel.isOpen()) {
        channel.close();
      }
    }
  }
}
