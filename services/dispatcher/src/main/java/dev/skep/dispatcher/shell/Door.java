package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.dispatcher.core.Orphans;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;
import dev.skep.runtime.grpc.NodeCaller;
import io.grpc.ServerInterceptors;
import io.grpc.Status;

/** A running dispatcher: its threads, its loop and its services. */
public final class Door {
  private static final String NAME = "dispatcher";
  private static final Status STOPPING = Status.UNAVAILABLE.withDescription("the dispatcher stops");

  private final Host host;
  private final DispatcherMetrics metrics;
  private final Committer committer;
  private final Sessions sessions;
  private final Desk desk;
  private final ControlLoop orphans;
  private final AutoCloseable listening;

  private Door(Host host, DispatcherConfig config) {
    this.host = host;
    metrics = DispatcherMetrics.of(host.metrics());
    committer = new Committer(host, config);
    Watch watch = new Watch(committer, metrics, host.clock().instant());
    sessions = new Sessions(host.clock(), metrics, watch, new LogDesk(host));
    desk = new Desk(sessions, host.clock(), () -> host.view().state(), config);
    listening = host.view().listen(desk::moved);
    host.blocking("dispatcher-commits", committer::run);
    host.thread(NAME, desk::loop);
    orphans = host.loop(NAME, new Orphans());
    DispatcherRpc calls = new DispatcherRpc(host, config, desk, sessions, committer, metrics);
    host.serve(NAME, () -> ServerInterceptors.intercept(calls, NodeCaller.interceptor()));
    host.serve(NAME, new LogsRpc(host, config, desk, sessions));
  }

  public static Door open(Host host, DispatcherConfig config) {
    return new Door(host, config);
  }

  /** Tells all nodes to come back later, and ends. */
  public void close() throws Exception {
    listening.close();
    orphans.close();
    desk.run(() -> {
      sessions.closeAll(STOPPING);
      desk.stop();
    });
    committer.stop();
    metrics.unregister(host.metrics());
  }
}
