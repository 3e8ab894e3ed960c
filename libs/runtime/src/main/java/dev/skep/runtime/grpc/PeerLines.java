package dev.skep.runtime.grpc;

import dev.skep.peer.v1.Holder;
import dev.skep.peer.v1.PeerGrpc;
import dev.skep.peer.v1.WatchRequest;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.election.Holders;
import dev.skep.runtime.identity.Trust;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.ConnectException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** Calls between processes that stay open while both live: whoever holds control loops is watched so. */
public final class PeerLines implements Holders.Caller, AutoCloseable {
  private static final int CONNECT_MILLIS = 1000;
  private static final int PROBE_AFTER_SECONDS = 10; // not how a frozen holder is noticed: its lease is

  private final Trust trust;
  private final Executor calls;
  private EventLoopGroup loop; // made when first needed; guarded by this
  private boolean closed; // guarded by this

  /** @param calls runs what may block, and callbacks */
  public PeerLines(Trust trust, Executor calls) {
    this.trust = trust;
    this.calls = calls;
  }

  /** The other side: says who this process is. */
  public static BindableService service(String holder) {
    return new PeerGrpc.PeerImplBase() {
      @Override
      public void watch(WatchRequest request, StreamObserver<Holder> answer) {
        answer.onNext(Holder.newBuilder().setId(holder).build()); // and no more: the call ends with the process
      }
    };
  }

  @Override
  public AutoCloseable call(String address, Holders.Line line) {
    Call call = new Call(line);
    calls.execute(() -> call.begin(address)); // names are resolved: that may block
    return call;
  }

  private synchronized EventLoopGroup loop() {
    if (closed) {
      throw new IllegalStateException("closed");
    }
    if (loop == null) {
      loop = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("peers", true), EpollIoHandler.newFactory());
    }
    return loop;
  }

  private final class Call implements StreamObserver<Holder>, AutoCloseable {
    private final Holders.Line line;
    private ManagedChannel channel; // guarded by this
    private boolean over; // guarded by this

    private Call(Holders.Line line) {
      this.line = line;
    }

    private void begin(String address) {
      try {
        ManagedChannel made = connected(address);
        synchronized (this) {
          if (over) {
            made.shutdownNow();
            return;
          }
          channel = made;
        }
        PeerGrpc.newStub(made).watch(WatchRequest.getDefaultInstance(), this);
      } catch (IllegalStateException | IllegalArgumentException e) { // no address, or this process ends
        line.ended(false);
      }
    }

    private ManagedChannel connected(String address) {
      return NettyChannelBuilder.forAddress(HostPort.parse(address, NetworkDoor.PORT))
          .overrideAuthority(Tls.AUTHORITY)
          .sslContext(Tls.node(trust))
          .eventLoopGroup(loop())
          .channelType(EpollSocketChannel.class)
          .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
          .keepAliveTime(PROBE_AFTER_SECONDS, TimeUnit.SECONDS)
          .executor(calls)
          .build();
    }

    @Override
    public void onNext(Holder holder) {
      line.told(holder.getId());
    }

    @Override
    public void onError(Throwable failure) {
      close();
      line.ended(refused(Status.fromThrowable(failure).getCause()));
    }

    @Override
    public void onCompleted() {
      close();
      line.ended(false);
    }

    @Override
    public void close() {
      ManagedChannel open;
      synchronized (this) {
        over = true;
        open = channel;
      }
      if (open != null) {
        open.shutdownNow();
      }
    }
  }

  private static boolean refused(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof ConnectException && !(cause instanceof ConnectTimeoutException)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (loop != null) {
      loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
  }
}
