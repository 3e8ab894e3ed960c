package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.dispatcher.core.Orphans;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.runtime.grpc.NodeCaller;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import java.util.Optional;

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
  private final ServerServiceDefinition nodeCalls;
  private final AutoCloseable listening;

  private Door(Host host, DispatcherConfig config) {
    this.host = host;
    metrics = DispatcherMetrics.of(host.metrics());
    committer = new Committer(host.store(), host.view(), config);
    Watch watch = new Watch(committer, metrics, () -> neighbour(host, config), host.clock().instant());
    sessions = new Sessions(host.clock(), metrics, watch, new LogDesk(host), new Credentials(() -> host.dataFolder("identity")),
        () -> Issuer.managers(host));
    desk = new Desk(sessions, host.clock(), () -> host.view().state(), config);
    listening = host.view().listen(desk::moved);
    host.blocking("dispatcher-commits", committer::run);
    host.thread(NAME, desk::loop);
    orphans = host.loop(NAME, new Orphans());
    DispatcherRpc calls = new DispatcherRpc(host, config, desk, sessions, committer, metrics);
    nodeCalls = ServerInterceptors.intercept(calls, NodeCaller.interceptor());
    host.serve(NAME, () -> nodeCalls);
    host.serve(NAME, new LogsRpc(host, config, desk, sessions));
    ServerServiceDefinition certificates = ServerInterceptors.intercept(new CertificatesRpc(host, config), NodeCaller.optional());
    host.serve(NAME, () -> certificates);
  }

  private static Optional<String> neighbour(Host host, DispatcherConfig config) {
    return config.agentInProcess() ? host.membership().current().map(Membership.Identity::nodeId) : Optional.empty();
  }

  /** For servers: the calls of nodes, behind the check that the caller is one. */
  ServerServiceDefinition nodeCalls() {
    return nodeCalls;
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
