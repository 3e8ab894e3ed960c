package dev.skep.runtime.feed;

import dev.skep.feed.v1.EdgeConfig;
import dev.skep.feed.v1.EdgeMessage;
import dev.skep.feed.v1.EdgeReport;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.FeedState;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's end of the feed. It keeps the merged feed for those who connect later, and the last report of every
 * connected component. When a second process reports under a component's name, the older one is told to drain: that
 * is how a successor takes over. All callbacks run on the server's one thread and must not block.
 */
public final class FeedServer implements AutoCloseable {
  /** The socket in the agent's run folder, unless configured otherwise. */
  public static final String SOCKET = "edge.sock";

  private static final Logger LOG = LoggerFactory.getLogger(FeedServer.class);
  /** A reader that is this far behind is cut off; it reconnects and starts from everything. */
  private static final long MAX_UNSENT_BYTES = 256L << 20;
  private static final int MAX_CONNECTIONS = 16;

  private final Path socket;
  private final Consumer<EdgeReport> reports;
  private final EventLoopGroup loop;
  private final Map<Channel, EdgeReport> connected = new LinkedHashMap<>(); // the server's thread only
  private FeedState state = FeedState.empty(); // the server's thread only
  private EdgeConfig config = EdgeConfig.getDefaultInstance(); // the server's thread only
  private volatile List<EdgeReport> latest = List.of();
  private Channel listener;

  public FeedServer(Path socket, Consumer<EdgeReport> reports) {
    this.socket = socket;
    this.reports = reports;
    this.loop = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("feed-server", true), EpollIoHandler.newFactory());
  }

  /** Listens. A stale socket file of a dead predecessor is replaced. Only the owner may connect. */
  public void start() throws IOException {
    Files.createDirectories(socket.toAbsolutePath().getParent());
    Files.deleteIfExists(socket);
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loop)
            .channel(EpollServerDomainSocketChannel.class)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    Frames.install(channel.pipeline(), EdgeReport.parser(), new Connection());
                  }
                });
    listener = bootstrap.bind(new DomainSocketAddress(socket.toFile())).syncUninterruptibly().channel();
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
  }

  /** Merges the update and hands it on. A difference that does not fit what is known is our own failure: it throws later work off. */
  public void publish(FeedUpdate update) {
    loop.execute(() -> take(update));
  }

  /** Replaces the configuration of all components. */
  public void configure(EdgeConfig next) {
    loop.execute(
        () -> {
          config = next;
          for (Channel channel : connected.keySet()) {
            send(channel, EdgeMessage.newBuilder().setConfig(next).build());
          }
        });
  }

  /** The last report of each component that is connected now, those of a process that drains excepted. */
  public List<EdgeReport> connected() {
    return latest;
  }

  /**
   * The lowest revision of the epoch that every connected component has applied; empty when none is connected. A
   * component that speaks about another epoch counts as revision 0.
   */
  public OptionalLong appliedByAll(String epoch) {
    return latest.stream().mapToLong(report -> report.getEpoch().equals(epoch) ? report.getAppliedRevision() : 0).min();
  }

  @Override
  public void close() throws IOException {
    if (listener != null && !loop.isShuttingDown()) {
      // By hand: a connection that is accepted while the loop ends could stay open without anybody behind it.
      loop.submit(
              () -> {
                listener.close();
                List.copyOf(connected.keySet()).forEach(Channel::close);
              })
          .syncUninterruptibly();
    }
    loop.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
    Files.deleteIfExists(socket);
  }

  private void take(FeedUpdate update) {
    switch (state.apply(update)) {
      case FeedState.Outcome.Moved moved -> {
        state = moved.state();
        EdgeMessage message = EdgeMessage.newBuilder().setFeed(update).build();
        for (Channel channel : List.copyOf(connected.keySet())) {
          send(channel, message);
        }
      }
      case FeedState.Outcome.Stale stale -> LOG.info("feed update dropped: {}", stale.reason());
      case FeedState.Outcome.NeedsComplete gap -> LOG.warn("feed update does not fit, a complete one is needed: {}", gap.reason());
    }
  }

  private void send(Channel channel, EdgeMessage message) {
    if (channel.unsafe().outboundBuffer() != null && channel.unsafe().outboundBuffer().totalPendingWriteBytes() > MAX_UNSENT_BYTES) {
      LOG.warn("an edge component reads too slowly, its connection is closed");
      channel.close();
      return;
    }
    channel.writeAndFlush(message);
  }

  private void noteReports() {
    Map<String, EdgeReport> newest = new LinkedHashMap<>();
    connected.values().stream().filter(report -> !report.getComponent().isEmpty()).forEach(report -> newest.put(report.getComponent(), report));
    latest = List.copyOf(newest.values());
  }

  private final class Connection extends SimpleChannelInboundHandler<EdgeReport> {
    Connection() {
      super(EdgeReport.class);
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      if (connected.size() >= MAX_CONNECTIONS) {
        context.close();
        return;
      }
      connected.put(context.channel(), EdgeReport.getDefaultInstance());
      send(context.channel(), EdgeMessage.newBuilder().setConfig(config).build());
      if (!state.epoch().isEmpty()) {
        send(context.channel(), EdgeMessage.newBuilder().setFeed(state.toUpdate()).build());
      }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, EdgeReport report) {
      if (!connected.containsKey(context.channel())) {
        return; // it drains
      }
      connected.put(context.channel(), report);
      drainPredecessors();
      noteReports();
      reports.accept(report);
    }

    /** A predecessor ends when its successor has applied what it had applied: from then on nothing is lost. */
    private void drainPredecessors() {
      List<Channel> channels = List.copyOf(connected.keySet());
      for (int older = 0; older < channels.size(); older++) {
        for (int newer = 0; newer < channels.size(); newer++) {
          if (older != newer && supersedes(channels.get(newer), channels.get(older), newer > older)) {
            EdgeReport last = connected.remove(channels.get(older));
            LOG.info("{}: a successor has taken over, its predecessor drains", last.getComponent());
            channels.get(older).writeAndFlush(EdgeMessage.newBuilder().setConfig(config.toBuilder().setDrain(true)).build());
            break;
          }
        }
      }
    }

    private boolean supersedes(Channel newer, Channel older, boolean connectedLater) {
      EdgeReport successor = connected.get(newer);
      EdgeReport predecessor = connected.get(older);
      if (successor == null || predecessor == null || successor.getComponent().isEmpty()) {
        return false;
      }
      boolean later =
          successor.getStartedMs() > predecessor.getStartedMs() || (successor.getStartedMs() == predecessor.getStartedMs() && connectedLater);
      boolean caughtUp =
          predecessor.getEpoch().isEmpty()
              || (successor.getEpoch().equals(predecessor.getEpoch()) && successor.getAppliedRevision() >= predecessor.getAppliedRevision())
              || (successor.getEpoch().equals(state.epoch()) && !predecessor.getEpoch().equals(state.epoch()));
      return later && caughtUp && successor.getComponent().equals(predecessor.getComponent());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      connected.remove(context.channel());
      noteReports();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      LOG.info("connection to an edge component lost: {}", cause.toString());
      context.close();
    }
  }
}
