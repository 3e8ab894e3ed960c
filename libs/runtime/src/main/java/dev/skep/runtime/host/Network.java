package dev.skep.runtime.host;

import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.SessionState;
import dev.skep.runtime.View;
import dev.skep.runtime.election.Campaign;
import dev.skep.runtime.grpc.ClusterChannel;
import dev.skep.runtime.grpc.GrpcDoor;
import dev.skep.runtime.grpc.HostPort;
import dev.skep.runtime.grpc.ManagerChannels;
import dev.skep.runtime.identity.Caller;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.Trust;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeSpecRow;
import io.grpc.Channel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A host among others: the door of a manager, the connections to components elsewhere, each while the membership says so. */
final class Network implements Campaign.Place, AutoCloseable {
  /** The purpose of calls that name none. */
  static final String EVERYTHING = "everything";

  private static final Logger LOG = LoggerFactory.getLogger(Network.class);
  private static final String DISPATCHER = "dispatcher";
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration FAREWELL = Duration.ofSeconds(1); // for a removed node to read why its calls end

  private final BasicHost host;
  private final HostBuilder options;
  private final FileMembership membership;
  private final Optional<View> view;
  private final Trust trust;
  private final SessionState session = new SessionState();
  private final GrpcDoor door;
  private final ManagerChannels managers;
  private final Map<String, ManagerChannels> peers = new HashMap<>();
  private final Optional<SharedIdentity> shared;
  private Optional<AutoCloseable> following = Optional.empty();
  private Optional<AutoCloseable> watching = Optional.empty();
  private String cluster = "";
  private String complaint = "";
  private volatile Runnable moving = () -> {};
  private volatile boolean visiting; // this manager's agent has its session with another manager
  private volatile boolean closed;

  /** @param view the cluster's rows; without them nobody is served */
  Network(BasicHost host, HostBuilder options, FileMembership membership, Optional<View> view) {
    this.host = host;
    this.options = options;
    this.membership = membership;
    this.view = view;
    this.trust = new Trust(host.identityFolder(), host.clock());
    this.door = new GrpcDoor(
        host.services(), trust, this::role, host.calls(), work -> host.thread("network-door", work), options.door);
    this.managers = new ManagerChannels(
        () -> membership.current().map(Identity::managers).orElse(List.of()), trust, host.calls());
    options.peers.orElse(Map.of()).forEach((component, addresses) ->
        peers.put(component, new ManagerChannels(component.equals(DISPATCHER) ? this::managers : () -> addresses, trust, host.calls())));
    this.shared = options.identity.map(folder -> new SharedIdentity(host, folder, membership, trust));
  }

  /** What the view shows is enough to let a caller in; before one is turned away it is asked whether the view is behind. */
  private Optional<NodeRole> role(Caller.Node node) {
    Optional<NodeRole> seen = role(state(), node.nodeId());
    return seen.isPresent() && seen.get() == node.role() ? seen : role(view.orElseThrow().fresh(PATIENCE), node.nodeId());
  }

  private static Optional<NodeRole> role(ClusterState state, String nodeId) {
    NodeSpecRow row = state.value(Rows.NODE_SPEC.key(nodeId));
    return Optional.ofNullable(row)
        .map(node -> node.getSpec().getRole().equals(NodeRole.WORKER.text()) ? NodeRole.WORKER : NodeRole.MANAGER);
  }

  Trust trust() {
    return trust;
  }

  SessionState session() {
    return session;
  }

  NetworkDoor door() {
    return door;
  }

  /** Empty while its door is closed. */
  @Override
  public String address() {
    Optional<String> open = door.address();
    if (open.isEmpty() || options.peer.isPresent()) {
      return open.isEmpty() ? "" : options.peer.get();
    }
    InetSocketAddress bound = HostPort.parse(open.get(), NetworkDoor.PORT);
    if (!bound.getAddress().isAnyLocalAddress()) {
      return open.get();
    }
    return membership.current().map(who -> HostPort.of(reached(who), bound.getPort())).orElse("");
  }

  /** A process of one service may have an address of its own, as containers do: the host's may lead to another process. */
  private String reached(Identity host) {
    return options.peers.isPresent() ? ownAddress().orElse(host.advertiseAddress()) : host.advertiseAddress();
  }

  private static Optional<String> ownAddress() {
    try {
      InetAddress own = InetAddress.getLocalHost();
      return own.isLoopbackAddress() ? Optional.empty() : Optional.of(own.getHostAddress());
    } catch (UnknownHostException e) {
      LOG.debug("this host's name has no address: {}", e.getMessage());
      return Optional.empty();
    }
  }

  Channel channel(String component, String purpose) {
    Channel there = peers.getOrDefault(component, managers).channel(purpose);
    boolean guest = component.equals(DISPATCHER);
    return alone(component) ? there : new ClusterChannel(() -> guest && visiting || worker(), host.services().channel(component), there);
  }

  /** Whether this process is one of several of its host, and that component is in another one. */
  private boolean alone(String component) {
    return options.peers.isPresent() && options.components.stream().noneMatch(one -> one.name().equals(component));
  }

  private boolean worker() {
    return membership.current().filter(identity -> !identity.manager()).isPresent();
  }

  Channel peer(String address) {
    return managers.to(address);
  }

  /** Of those that this host's agent calls. */
  boolean managerSilent() {
    if (visiting) {
      visiting = false;
      return true;
    }
    return peers.getOrDefault(DISPATCHER, managers).silent();
  }

  /** Where this host's agent may have its session: at the dispatchers that it was told, and at every other manager's. */
  List<String> managers() {
    List<String> told = options.peers.map(named -> named.get(DISPATCHER)).orElse(List.of());
    List<String> known = membership.current().map(Identity::managers).orElse(List.of());
    return Stream.concat(told.stream(), known.stream()).distinct().toList();
  }

  void managerChosen(String address) {
    peers.getOrDefault(DISPATCHER, managers).choose(address);
    // A manager's own door is the first of those that it knows.
    visiting = !alone(DISPATCHER) && membership.current().filter(who -> who.manager() && !who.managers().getFirst().equals(address)).isPresent();
  }

  /** From the moment on when there is something to serve. */
  void follow() {
    following = Optional.of(membership.listen(this::become));
    watching = view.map(rows -> rows.listen(this::moved));
    shared.ifPresent(SharedIdentity::follow);
  }

  @Override
  public String nodeId() {
    return membership.current().map(Identity::nodeId).orElse("");
  }

  /** Runs when {@link #address} may be another one. */
  void onMove(Runnable body) {
    moving = body;
  }

  private void become(Optional<Identity> identity) {
    String now = identity.map(who -> who.clusterId() + "/" + who.nodeId()).orElse("");
    if (!now.equals(cluster)) {
      cluster = now;
      visiting = false;
      managers.forget();
      peers.values().forEach(ManagerChannels::forget);
    }
    String listen = identity.filter(Identity::manager).map(this::place).orElse("");
    if (listen.isEmpty()) {
      door.close();
    } else {
      open(listen);
    }
    moving.run();
  }

  /** Where this process serves others; empty when it has nothing for them. */
  private String place(Identity manager) {
    boolean serves = view.isPresent() && (options.peers.isEmpty() || host.services().serving());
    return serves ? options.listen.orElse(manager.listenAddress()) : "";
  }

  private void open(String address) {
    boolean wanted = membership.current().filter(Identity::manager).filter(who -> place(who).equals(address)).isPresent();
    if (closed || !wanted) {
      return;
    }
    try {
      door.open(address);
      complaint = "";
      moving.run();
    } catch (IOException e) {
      if (!e.getMessage().equals(complaint)) {
        complaint = e.getMessage();
        LOG.error("other nodes cannot reach this manager: {}; tried again every {} s", e.getMessage(), RETRY.toSeconds());
      }
      host.after(RETRY, () -> open(address));
    }
  }

  private void moved(ClusterState state, List<RowChange> changes, boolean reset) {
    Set<String> demoted = new HashSet<>();
    boolean removed = reset;
    for (RowChange change : changes) {
      if (change.of(Rows.NODE_SPEC)) {
        removed |= change.after() == null;
        String node = change.key().lastPart();
        if (change.before() != null && manages((NodeSpecRow) change.before().value()) && role(state, node).equals(Optional.of(NodeRole.WORKER))) {
          demoted.add(node);
        }
      }
    }
    if (removed || !demoted.isEmpty()) {
      host.after(FAREWELL, () -> door.end(node -> demoted.contains(node) || !state().has(Rows.NODE_SPEC.key(node))));
    }
  }

  private ClusterState state() {
    return view.orElseThrow().state();
  }

  private static boolean manages(NodeSpecRow node) {
    return node.getSpec().getRole().equals(NodeRole.MANAGER.text());
  }

  @Override
  public void close() {
    closed = true;
    try {
      if (following.isPresent()) {
        following.get().close();
      }
      if (watching.isPresent()) {
        watching.get().close();
      }
    } catch (Exception e) {
      throw new IllegalStateException("a listener that cannot be removed", e);
    }
    shared.ifPresent(SharedIdentity::close);
    door.close();
    managers.close();
    peers.values().forEach(ManagerChannels::close);
  }
}
