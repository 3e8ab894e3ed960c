package dev.skep.skepd;

import dev.skep.agent.AgentComponent;
import dev.skep.agent.AgentConfig;
import dev.skep.allocator.Allocator;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.control.v1.ControlGrpc;
import dev.skep.control.v1.Kind;
import dev.skep.control.v1.UpdateRequest;
import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.dispatcher.DispatcherComponent;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.orchestrator.Orchestrator;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeName;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.scheduler.Scheduler;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.RootRotation;
import dev.skep.state.v1.SealedRow;
import dev.skep.testkit.TestHost;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
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

  /** One of them. */
  final class Node implements AutoCloseable {
    private final Path socket;
    private final RehearsalEngine engine;
    final MovedClock clock = new MovedClock();
    final TestHost host;

    private Node(Path folder) throws IOException {
      socket = folder.resolve("docker.sock");
      Path engineSocket = folder.resolve("engine.sock");
      Files.createDirectories(folder);
      engine = new RehearsalEngine(engineSocket);
      AgentConfig agent = Rehearsal.harmless(AgentConfig.defaults().withEngine(engineSocket).withInstance("ffff")
          .withFeedSocket(folder.resolve("feed.sock")));
      ControlApiConfig api = ControlApiConfig.defaults().withApi(List.of("unix://" + socket)).withEngine(engineSocket)
          .withGrpc(folder.resolve("control.sock"));
      host = TestHost.start(folder.resolve("host"), clock, new Orchestrator(), new Allocator(), new Scheduler(),
          new DispatcherComponent(DispatcherConfig.defaults()), new AgentComponent(agent), new ControlApi(api));
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

    String get(String path) throws IOException {
      return call("GET", path, "");
    }

    private String call(String method, String path, String body) throws IOException {
      try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
        channel.connect(UnixDomainSocketAddress.of(socket));
        String request = method + " /v1.41" + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
            + "Content-Length: " + body.length() + "\r\n\r\n" + body;
        channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        ByteBuffer part = ByteBuffer.allocate(1 << 16);
        while (channel.read(part) >= 0) {
          answer.write(part.array(), 0, part.position());
          part.clear();
        }
        String text = answer.toString(StandardCharsets.UTF_8);
        return text.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length()) + " " + text.substring(text.indexOf("\r\n\r\n") + 4).strip();
      }
    }

    @Override
    public void close() {
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

  Nodes(Path folder) {
    this.folder = folder;
  }

  /** A host outside of any cluster. */
  Node host() throws IOException {
    Node node = new Node(folder.resolve(Integer.toString(all.size())));
    all.add(node);
    return node;
  }

  /** A host that has founded a cluster. */
  Node manager() throws IOException {
    Node node = host();
    String answer = node.post("/swarm/init", "{\"ListenAddr\":\"127.0.0.1:0\",\"AdvertiseAddr\":\"127.0.0.1\"}");
    if (!answer.startsWith("200")) {
      throw new AssertionError(answer);
    }
    return node;
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
    String remotes = "\"" + String.join("\",\"", managers) + "\"";
    return node.post("/swarm/join", "{\"ListenAddr\":\"0.0.0.0:2377\",\"RemoteAddrs\":[" + remotes + "],\"JoinToken\":\"" + token + "\"}");
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

  static ClusterState awaitState(Node manager, String nodeId, String state) {
    return manager.host.await("node " + nodeId + " is " + state,
        seen -> seen.has(Rows.NODE_STATUS.key(nodeId)) && seen.value(Rows.NODE_STATUS.key(nodeId)).getState().equals(state));
  }

  @Override
  public void close() {
    Collections.reverse(all);
    all.forEach(Node::close);
  }
}
