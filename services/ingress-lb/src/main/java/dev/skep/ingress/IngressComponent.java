package dev.skep.ingress;

import dev.skep.feed.v1.EdgeConfig;
import dev.skep.feed.v1.EdgeReport;
import dev.skep.ingress.core.Routes;
import dev.skep.ingress.shell.Ingress;
import dev.skep.runtime.Component;
import dev.skep.runtime.Host;
import dev.skep.runtime.feed.FeedClient;
import dev.skep.runtime.feed.FeedServer;
import dev.skep.runtime.net.Handover;
import dev.skep.state.FeedState;
import io.netty.channel.epoll.Epoll;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** The routing mesh of one node: follows the feed and keeps every published port open. */
public final class IngressComponent implements Component {
  public static final String NAME = "ingress-lb";

  private final IngressConfig config;
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private final AtomicBoolean draining = new AtomicBoolean();
  private Host host;
  private long startedMs;
  private Ingress ingress;
  private FeedClient client;
  private volatile FeedState applied = FeedState.empty();
  private volatile Future<Void> applying;

  public IngressComponent(IngressConfig config) {
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

  @Override
  public void start(Host host) throws Exception {
    this.host = host;
    startedMs = host.clock().millis();
    Epoll.ensureAvailability();
    Path folder = host.dataFolder(NAME);
    Path socket = config.feedSocket().orElseGet(() -> host.runFolder().resolve(FeedServer.SOCKET));
    ingress = new Ingress(config, Handover.take(folder), host.metrics().registry(), this::report);
    client = new FeedClient(socket, folder.resolve("feed"), NAME, new Follower());
    client.start();
    Future<Void> first = applying;
    if (first != null && !first.await(5, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the published ports could not be opened in time");
    }
  }

  @Override
  public void stop() throws Exception {
    if (client != null) {
      client.close();
    }
    if (ingress != null && draining.compareAndSet(false, true)) {
      ingress.drain(false);
      drained.complete(null);
    }
  }

  private void report() {
    FeedState state = applied;
    client.report(
        EdgeReport.newBuilder()
            .setComponent(NAME)
            .setEpoch(state.epoch())
            .setAppliedRevision(state.revision())
            .setStartedMs(startedMs)
            .addAllPorts(ingress.ports().problems())
            .build());
  }

  private void drainForSuccessor() {
    if (draining.compareAndSet(false, true)) {
      host.thread(
          "ingress-drain",
          () -> {
            try {
              client.close();
              ingress.drain(true);
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
    private Routes routes = Routes.of(FeedState.empty());

    @Override
    public void feed(FeedState state, Set<String> changed) {
      try {
        routes = routes.next(state, changed);
      } catch (RuntimeException ours) {
        host.fatal("the routes of " + state + " could not be worked out", ours);
        return;
      }
      Future<Void> done = ingress.ports().apply(routes);
      applying = done;
      done.addListener(
          ended -> {
            applied = state;
            report();
          });
    }

    @Override
    public void config(EdgeConfig edge) {
      if (edge.getDrain()) {
        drainForSuccessor();
      } else if (applied.epoch().isEmpty()) {
        report(); // there is no feed yet: say that we are here
      }
    }
  }
}
