package dev.skep.skepd;

import dev.skep.agent.AgentComponent;
import dev.skep.agent.AgentConfig;
import dev.skep.allocator.Allocator;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.control.v1.ControlGrpc;
import dev.skep.control.v1.Kind;
import dev.skep.control.v1.UpdateRequest;
import dev.skep.backend.StoreException;
import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.dispatcher.DispatcherComponent;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.orchestrator.Orchestrator;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeName;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.scheduler.Scheduler;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.RootRotation;
import dev.skep.state.v1.SealedRow;
import dev.skep.testkit.SharedStore;
import dev.skep.testkit.TestHost;
import dev.skep.testkit.net.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/** Whole hosts in one process, each with an API, an agent and an engine that only pretends; they talk over loopback. */
final class Nodes implements AutoCloseable {
  /** A clock that tests move. It also goes on by itself. */
  static final class MovedClock extends Clock {
    private volatile Duration ahead = Duration.ZERO;

    void by(Duration more) {
      ahead = ahead.plus(more);
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return Instant.now().plus(ahead);
    }
  }

  /** One of them. When it wants to be started again it is, on the store that it then knows. */
  final class Node implements AutoCloseable {
    private static final String SHARED = "shared:";

    private final Path folder;
    private final Path socket;
    private final RehearsalEngine engine;
    private final AtomicInteger starts = new AtomicInteger();
    private final Map<Integer, CompletableFuture<Boolean>> begun = new ConcurrentHashMap<>();
    private volatile AgentComponent agent;
    private volatile boolean over;
    private volatile CountDownLatch mayStart = new CountDownLatch(0);
    final MovedClock clock = new MovedClock();
    volatile SharedStore.Client client; // of the store that hosts share, if this one uses it
    volatile TestHost host;
    /** What it is told when it tries the store that hosts share; empty: it gets in. */
    volatile String storeProblem = "";

    private Node(Path folder, boolean onSharedStore) throws IOException {
      this.folder = folder;
      socket = folder.resolve("docker.sock");
      Files.createDirectories(folder);
      engine = new RehearsalEngine(folder.resolve("engine.sock"));
      start(onSharedStore);
    }

    private void start(boolean onSharedStore) {
      Path engineSocket = folder.resolve("engine.sock");
      boolean sharing = onSharedStore || StoreAccess.read(folder.resolve("host/data/identity")).isPresent();
      AgentConfig agentConfig = Rehearsal.harmless(AgentConfig.defaults().withEngine(engineSocket).withInstance("ffff")
          .withFeedSocket(folder.resolve("feed.sock")));
      ControlApiConfig api = ControlApiConfig.defaults().withApi(List.of("unix://" + socket)).withEngine(engineSocket)
          .withGrpc(folder.resolve("control.sock"));
      agent = new AgentComponent(agentConfig);
      client = sharing && store.isEmpty() ? shared.client() : null;
      host = TestHost.start(folder.resolve("host"), clock, sharing ? store.orElse(SHARED) : "embedded:" + folder.resolve("host/store"),
          builder -> known(client != null ? builder.shared(client) : builder, sharing).onRestart(() -> Thread.ofVirtual().start(this::again))
              .storeTrial(this::tryStore)
              .door(asked -> new InetSocketAddress(InetAddress.getLoopbackAddress(), asked.getPort() == NetworkDoor.PORT ? 0 : asked.getPort())),
          new Orchestrator(), new Allocator(), new Scheduler(),
          new DispatcherComponent(DispatcherConfig.defaults()), agent, new ControlApi(api));
      started(starts.incrementAndGet()).complete(true);
    }

    private void tryStore(StoreAccess access) {
      if (!storeProblem.isEmpty()) {
        throw new StoreException(storeProblem);
      }
    }

    /** As a process that reads its identity when it starts. */
    private HostBuilder known(HostBuilder builder, boolean sharing) {
      Path identity = folder.resolve("host/data/identity");
      Optional<StoreAccess> there = StoreAccess.read(identity).filter(access -> access.user("store").isPresent());
      if (there.isPresent()) {
        return builder.access(there.get()).storeAccess(AccessSettings.from(Settings.none(), "store", Optional.of(identity)));
      }
      return sharing ? told.apply(builder) : builder;
    }

    /** Until it is started again, its machine is off. */
    synchronized void stop() {
      host.stop();
    }

    /** Starts it again, as often as it says that it has to start again. */
    synchronized void begin() {
      try {
        start(false);
      } catch (AssertionError e) {
        if (!String.valueOf(e.getCause()).contains("has to start again")) {
          throw e;
        }
        start(false);
      }
    }

    /** As systemd does it when somebody asks for it. */
    synchronized void again() {
      if (!over) {
        host.stop();
        try {
          mayStart.await();
        } catch (InterruptedException e) {
          throw new AssertionError("nobody interrupts a start", e);
        }
        start(false);
      }
    }

    /** From now on it ends when it wants to be started again, and is not started. */
    void hold() {
      mayStart = new CountDownLatch(1);
    }

    void release() {
      mayStart.countDown();
    }

    /** How often it was started. */
    int starts() {
      return starts.get();
    }

    void awaitStarts(int wanted) throws Exception {
      started(wanted).get(60, TimeUnit.SECONDS);
    }

    private CompletableFuture<Boolean> started(int times) {
      return begun.computeIfAbsent(times, _ -> new CompletableFuture<>());
    }

    /** As kill -9 leaves it: it does nothing more, and its connections are gone. Its leases run out later. */
    void kill() throws Exception {
      client.stand();
      agent.stop();
      host.door().close();
    }

    String id() {
      return host.membership().current().orElseThrow().nodeId();
    }

    Path controlSocket() {
      return socket.resolveSibling("control.sock");
    }

    /** Status and body of an answer. */
    String post(String path, String body) throws IOException {
      return call("POST", path, body);
    }

    String delete(String path) throws IOException {
      return call("DELETE", path, "");
    }

    String get(String path) throws IOException {
      return call("GET", path, "");
    }

    private String call(String method, String path, String body) throws IOException {
      return DockerSocket.call(socket, method, path, body);
    }

    @Override
    public void close() {
      release();
      synchronized (this) {
        over = true;
      }
      if (client != null) {
        client.goOn();
        client.heal();
      }
      host.close();
      try {
        engine.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private final Path folder;
  private final SecureRandom random = new SecureRandom();
  private final List<Node> all = new ArrayList<>();
  private final Optional<String> store;
  private final UnaryOperator<HostBuilder> told;
  private SharedStore shared; // made when first needed

  Nodes(Path folder) {
    this(folder, Optional.empty());
  }

  /** @param store what managers share, in place of a store of this test's own: {@code etcd://…} */
  Nodes(Path folder, Optional<String> store) {
    this(folder, store, builder -> builder);
  }

  /** @param told what a host on the shared store is told besides, while its identity does not say it */
  Nodes(Path folder, Optional<String> store, UnaryOperator<HostBuilder> told) {
    this.folder = folder;
    this.store = store;
    this.told = told;
  }

  /** A host outside of any cluster. */
  Node host() throws IOException {
    return host(false);
  }

  private Node host(boolean onSharedStore) throws IOException {
    if (shared == null) {
      shared = SharedStore.in(folder.resolve("shared"));
    }
    Node node = new Node(folder.resolve(Integer.toString(all.size())), onSharedStore);
    all.add(node);
    return node;
  }

  /** A host that was told of the store that several managers can share. */
  Node hostOnSharedStore() throws IOException {
    return host(true);
  }

  /** A host that has founded a cluster. */
  Node manager() throws IOException {
    return founded(host());
  }

  /** A host that has founded a cluster which can have several managers. */
  Node firstManager() throws IOException {
    return founded(host(true));
  }

  private static Node founded(Node node) throws IOException {
    String answer = node.post("/swarm/init", "{\"ListenAddr\":\"127.0.0.1:0\",\"AdvertiseAddr\":\"127.0.0.1\"}");
    if (!answer.startsWith("200")) {
      throw new AssertionError(answer);
    }
    return node;
  }

  /** The store that hosts share, for a process beside them. */
  SharedStore.Client client() {
    return shared.client();
  }

  /** host:port of a manager's door. */
  static String door(Node manager) {
    return manager.host.membership().current().orElseThrow().managers().getFirst();
  }

  static String token(Node manager, NodeRole role) {
    ClusterState state = manager.host.view().state();
    return new String(opened(manager, SealedRows.joinToken(role), state), StandardCharsets.UTF_8);
  }

  private static byte[] opened(Node manager, Key<SealedRow> key, ClusterState state) {
    try {
      return ClusterKey.read(manager.host.dataFolder("identity")).open(key, state.value(key));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static CertificateAuthority authority(Node manager) {
    ClusterState state = manager.host.view().state();
    return CertificateAuthority.of(state.value(Rows.cluster()).getTrustRootPem(), opened(manager, SealedRows.authorityKey(), state));
  }

  static String join(Node node, String token, String... managers) throws IOException {
    return joinListening(node, "0.0.0.0:2377", token, managers);
  }

  /** An address on loopback that a door can have. */
  static String listen() {
    return "127.0.0.1:" + Ports.free(1).getFirst();
  }

  /** @param listen where its door opens as soon as it is a manager */
  static String joinListening(Node node, String listen, String token, String... managers) throws IOException {
    String remotes = "\"" + String.join("\",\"", managers) + "\"";
    return node.post("/swarm/join", "{\"ListenAddr\":\"" + listen + "\",\"RemoteAddrs\":[" + remotes + "],\"JoinToken\":\"" + token + "\"}");
  }

  /** A certificate that an authority gives to whomever it likes. */
  NodeCertificate certificate(CertificateAuthority authority, NodeName name, Instant when) {
    KeyPair keys = NodeCertificate.freshKey(random);
    return NodeCertificate.of(keys.getPrivate(), authority.issue(name, keys.getPublic(), when, Duration.ofDays(90), random));
  }

  /** As {@code docker swarm ca --rotate}; answers the new root and its key as far as they are public. */
  static RootRotation rotate(Node manager) {
    Row<ClusterRow> cluster = manager.host.view().state().row(Rows.cluster());
    SwarmSpec.Builder spec = cluster.value().getSpec().toBuilder();
    spec.getCaConfigBuilder().setForceRotate(spec.getCaConfig().getForceRotate() + 1);
    ControlGrpc.newBlockingStub(manager.host.channel("control-api"))
        .update(UpdateRequest.newBuilder().setKind(Kind.CLUSTER).setVersion(cluster.modRevision()).setCluster(spec).build());
    return manager.host.view().state().value(Rows.cluster()).getRootRotation();
  }

  /** Looks again and again: what no view shows. */
  static void until(String what, BooleanSupplier holds) {
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("not within 60 s: " + what);
      }
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  static ClusterState awaitState(Node manager, String nodeId, String state) {
    return manager.host.await("node " + nodeId + " is " + state,
        seen -> seen.has(Rows.NODE_STATUS.key(nodeId)) && seen.value(Rows.NODE_STATUS.key(nodeId)).getState().equals(state));
  }

  @Override
  public void close() {
    Collections.reverse(all);
    all.forEach(Node::close);
    if (shared != null) {
      shared.close();
    }
  }
}
