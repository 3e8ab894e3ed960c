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
  private static final String LIVENESS = "liveness";
  private static final Status STOPPING = Status.UNAVAILABLE.withDescription("the dispatcher stops");

  private final Host host;
  private final DispatcherMetrics metrics;
  private final Committer committer;
  private final Sessions sessions;
  private final Desk desk;
  private final ControlLoop orphans;
  private final ControlLoop judging;
  private final PeerRow row;
  private final ServerServiceDefinition nodeCalls;
  private final AutoCloseable listening;

  private Door(Host host, DispatcherConfig config) {
    this.host = host;
    metrics = DispatcherMetrics.of(host.metrics());
    committer = new Committer(host.store(), host.view(), config);
    String me = host.ids().next();
    judging = host.lead(LIVENESS, () -> {});
    Watch watch = new Watch(me, committer, metrics, judging::leading, this::cutOff, () -> neighbour(host, config), host.clock().instant());
    sessions = new Sessions(me, host.clock(), metrics, watch, new LogDesk(host, me), new Credentials(() -> host.dataFolder("identity")),
        () -> Issuer.own(host));
    desk = new Desk(sessions, host.clock(), () -> host.view().state(), config);
    sessions.logs().far(new FarLogs(host, desk, sessions));
    sessions.peers(new Peers(host, me, desk, sessions::peersMoved, sessions::orphaned));
    row = new PeerRow(host, me);
    listening = host.view().listen(desk::moved);
    host.blocking("dispatcher-commits", committer::run);
    host.thread(NAME, desk::loop);
    if (host.storeAccess().shared()) {
      host.blocking("dispatcher-row", row::run);
    }
    orphans = host.loop(NAME, new Orphans());
    DispatcherRpc calls = new DispatcherRpc(host, config, row, desk, sessions, committer, metrics);
    nodeCalls = ServerInterceptors.intercept(calls, NodeCaller.interceptor());
    host.serve(NAME, () -> nodeCalls);
    host.serve(NAME, new DispatchersRpc(desk, sessions));
    host.serve(NAME, new LogsRpc(host, config, desk, sessions));
    ServerServiceDefinition certificates = ServerInterceptors.intercept(new CertificatesRpc(host, config), NodeCaller.optional());
    host.serve(NAME, () -> certificates);
    if (!config.agentInProcess()) { // in the process of a whole host control-api answers itself
      host.serve(NAME, new KeysRpc(host));
    }
  }

  private boolean cutOff() {
    return !row.there().isDone();
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
    row.stop();
    orphans.close();
    judging.close();
    desk.run(() -> {
      sessions.closeAll(STOPPING);
      sessions.peers().close(STOPPING);
      desk.stop();
    });
    committer.stop();
    metrics.unregister(host.metrics());
  }
}
