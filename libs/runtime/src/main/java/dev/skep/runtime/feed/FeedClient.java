package dev.skep.runtime.feed;

import dev.skep.feed.v1.EdgeConfig;
import dev.skep.feed.v1.EdgeMessage;
import dev.skep.feed.v1.EdgeReport;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.FeedState;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The edge's end of the feed: connects for ever, merges, keeps the last feed on disk and starts from it. Losing the
 * agent changes nothing for those who listen. Callbacks run on the client's one thread, in order.
 */
public final class FeedClient implements AutoCloseable {
  /** Who is told. */
  public interface Listener {
    /** The feed moved; {@code changed} holds the keys whose entries differ from the state seen before. */
    void feed(FeedState state, Set<String> changed);

    /** The agent's configuration for this edge; on every connection and on every change. */
    void config(EdgeConfig config);
  }

  private static final Logger LOG = LoggerFactory.getLogger(FeedClient.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(500);
  private static final Duration SAVE_PAUSE = Duration.ofSeconds(1);

  private final Path socket;
  private final FeedFile file;
  private final Listener listener;
  private final EventLoopGroup loop;
  private final Object disk = new Object();
  // the client's thread only
  private FeedState state = FeedState.empty();
  private EdgeReport report;
  private Channel channel;
  private Duration pause = FIRST_PAUSE;
  private boolean savePlanned;
  private volatile boolean saveFailed;
  private volatile boolean closed;

  public FeedClient(Path socket, Path file, String component, Listener listener) {
    this.socket = socket;
    this.file = new FeedFile(file);
    this.listener = listener;
    this.loop = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("feed-" + component, true), EpollIoHandler.newFactory());
  }

  /** Hands out the feed kept on disk, if there is one, before it returns; connects from then on. */
  public void start() throws IOException {
    FeedState kept = file.read();
    loop.submit(
            () -> {
              if (!kept.epoch().isEmpty()) {
                state = kept;
                listener.feed(kept, Set.copyOf(kept.toUpdate().getPutList().stream().map(entry -> entry.getKey()).toList()));
              }
            })
        .syncUninterruptibly();
    loop.execute(this::connect);
  }

  /** Sends the report now or as soon as the agent is there; only the last one counts. */
  public void report(EdgeReport next) {
    if (closed) {
      return;
    }
    loop.execute(
        () -> {
          if (next.equals(report)) {
            return;
          }
          report = next;
          if (channel != null) {
            channel.writeAndFlush(next);
          }
        });
  }

  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    FeedState last = loop.submit(() -> savePlanned ? state : null).syncUninterruptibly().getNow();
    loop.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
    if (last != null) {
      synchronized (disk) {
        file.write(last);
      }
    }
  }

  private void connect() {
    if (closed) {
      return;
    }
    new Bootstrap()
        .group(loop)
        .channel(EpollDomainSocketChannel.class)
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel fresh) {
                Frames.install(fresh.pipeline(), EdgeMessage.parser(), new Connection());
              }
            })
        .connect(new DomainSocketAddress(socket.toFile()))
        .addListener(
            done -> {
              if (!done.isSuccess()) {
                connectLater();
              }
            });
  }

  private void connectLater() {
    if (closed || loop.isShuttingDown()) {
      return;
    }
    loop.schedule(this::connect, pause.toMillis(), TimeUnit.MILLISECONDS);
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
  }

  private void take(ChannelHandlerContext context, FeedUpdate update) {
    switch (state.apply(update)) {
      case FeedState.Outcome.Moved moved -> {
        state = moved.state();
        listener.feed(state, moved.changed());
        saveLater();
      }
      case FeedState.Outcome.Stale stale -> LOG.info("feed update dropped: {}", stale.reason());
      case FeedState.Outcome.NeedsComplete gap -> {
        // A fresh connection begins with everything.
        LOG.info("feed has a gap, connecting again: {}", gap.reason());
        context.close();
      }
    }
  }

  /** At most once in a second, and never on the thread that applies updates. */
  private void saveLater() {
    if (savePlanned) {
      return;
    }
    savePlanned = true;
    loop.schedule(
        () -> {
          savePlanned = false;
          FeedState seen = state;
          Thread.ofVirtual().name("feed-save").start(() -> save(seen));
        },
        SAVE_PAUSE.toMillis(),
        TimeUnit.MILLISECONDS);
  }

  private void save(FeedState seen) {
    try {
      synchronized (disk) {
        file.write(seen);
      }
      saveFailed = false;
    } catch (IOException full) {
      // Serving goes on; the next change tries again, and so does the retry below.
      if (!saveFailed) {
        LOG.warn("the feed could not be kept on disk, will be tried again: {}", full.toString());
      }
      saveFailed = true;
      if (!closed) {
        loop.execute(this::saveLater);
      }
    }
  }

  private final class Connection extends SimpleChannelInboundHandler<EdgeMessage> {
    Connection() {
      super(EdgeMessage.class);
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      channel = context.channel();
      pause = FIRST_PAUSE;
      if (report != null) {
        context.writeAndFlush(report);
      }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, EdgeMessage message) {
      switch (message.getMessageCase()) {
        case FEED -> take(context, message.getFeed());
        case CONFIG -> listener.config(message.getConfig());
        case MESSAGE_NOT_SET -> LOG.debug("a message of a newer agent is passed over");
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      if (channel == context.channel()) {
        channel = null;
      }
      connectLater();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      LOG.info("connection to the agent lost: {}", cause.toString());
      context.close();
    }
  }
}
