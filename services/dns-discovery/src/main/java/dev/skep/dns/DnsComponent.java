package dev.skep.dns;

import dev.skep.dns.core.Zone;
import dev.skep.dns.shell.DnsServer;
import dev.skep.dns.shell.KeptPort;
import dev.skep.dns.shell.Resolvers;
import dev.skep.feed.v1.EdgeConfig;
import dev.skep.feed.v1.EdgeReport;
import dev.skep.runtime.Component;
import dev.skep.runtime.Host;
import dev.skep.runtime.feed.FeedClient;
import dev.skep.runtime.feed.FeedServer;
import dev.skep.runtime.net.Handover;
import dev.skep.state.FeedState;
import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The names of the cluster for the containers of one node. */
public final class DnsComponent implements Component {
  public static final String NAME = "dns-discovery";

  private static final Logger LOG = LoggerFactory.getLogger(DnsComponent.class);

  private final DnsConfig config;
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private final AtomicBoolean draining = new AtomicBoolean();
  private Host host;
  private long startedMs;
  private DnsServer server;
  private FeedClient client;
  private Path keptUpstreams;
  private int port;

  public DnsComponent(DnsConfig config) {
    this.config = config;
  }

  @Override
  public String name() {
    return NAME;
  }

  /** Done when a successor took over and this component has ended its work: the process should end with status 0. */
  public CompletionStage<Void> drained() {
    return drained.minimalCompletionStage();
  }

  /** Where it listens; known once it has started. */
  public int port() {
    return port;
  }

  @Override
  public void start(Host host) throws Exception {
    this.host = host;
    startedMs = host.clock().millis();
    Epoll.ensureAvailability();
    Path folder = host.dataFolder(NAME);
    Path socket = config.feedSocket().orElseGet(() -> host.runFolder().resolve(FeedServer.SOCKET));
    keptUpstreams = folder.resolve("upstreams");
    server = new DnsServer(config, host.metrics().registry());
    server.upstreams(Resolvers.parse(upstreams()));
    client = new FeedClient(socket, folder.resolve("feed"), NAME, new Follower());
    Handover handover = Handover.take(folder);
    if (config.port() != 0) {
      server.listen(config.port(), handover);
      port = config.port();
    } else {
      port = new KeptPort(folder.resolve("port")).listen(server, handover);
    }
    client.start();
  }

  @Override
  public void stop() throws Exception {
    if (client != null) {
      client.close();
    }
    if (server != null && draining.compareAndSet(false, true)) {
      server.close();
      drained.complete(null);
    }
  }

  /** Those that the agent told last, else the node's own. */
  private List<String> upstreams() throws IOException {
    return Files.exists(keptUpstreams) ? Files.readAllLines(keptUpstreams) : Resolvers.ofResolvConf(config.resolvConf());
  }

  private void report(FeedState state) {
    client.report(
        EdgeReport.newBuilder()
            .setComponent(NAME)
            .setEpoch(state.epoch())
            .setAppliedRevision(state.revision())
            .setDnsPort(port)
            .setStartedMs(startedMs)
            .build());
  }

  private void drainForSuccessor() {
    if (draining.compareAndSet(false, true)) {
      host.thread(
          "dns-drain",
          () -> {
            try {
              client.close();
              server.close();
              drained.complete(null);
            } catch (InterruptedException ended) {
              Thread.currentThread().interrupt();
            } catch (IOException disk) {
              throw new UncheckedIOException(disk);
            }
          });
    }
  }

  /** On the feed's thread. */
  private final class Follower implements FeedClient.Listener {
    private FeedState seen = FeedState.empty();

    @Override
    public void feed(FeedState state, Set<String> changed) {
      try {
        server.zone(server.zone().next(state, changed));
      } catch (RuntimeException ours) {
        host.fatal("the names of " + state + " could not be worked out", ours);
        return;
      }
      seen = state;
      report(state);
    }

    @Override
    public void config(EdgeConfig edge) {
      if (edge.getDrain()) {
        drainForSuccessor();
        return;
      }
      List<String> told = edge.getUpstreamDnsList();
      if (!told.isEmpty()) {
        server.upstreams(Resolvers.parse(told));
        keep(told);
      }
      report(seen);
    }

    private void keep(List<String> told) {
      try {
        if (!Files.exists(keptUpstreams) || !Files.readAllLines(keptUpstreams).equals(told)) {
          Files.write(keptUpstreams, told);
        }
      } catch (IOException full) {
        // They are told again with the next connection; until then the file holds the last ones that fitted.
        LOG.warn("the upstreams could not be kept: {}", full.toString());
      }
    }
  }
}
