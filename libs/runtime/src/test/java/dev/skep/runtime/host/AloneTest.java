package dev.skep.runtime.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.dispatcher.v1.LogsGrpc;
import dev.skep.runtime.Component;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.grpc.Callers;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeName;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.Trust;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeSpecRow;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services of one host in processes of their own: who they are, and how they reach each other. */
@Timeout(60)
class AloneTest {
  private static final int SECONDS = 30;
  @TempDir Path folder;

  /** Serves Logs, and answers who asked. */
  private static final class Called implements Component {
    @Override
    public String name() {
      return "dispatcher";
    }

    @Override
    public void start(Host host) {
      host.serve(name(), new LogsGrpc.LogsImplBase() {
        @Override
        public void read(LogSelector request, StreamObserver<LogBatch> reply) {
          String caller = Callers.current().map(Object::toString).orElse("nobody");
          reply.onError(Status.DATA_LOSS.withDescription(caller).asRuntimeException());
        }
      });
    }

    @Override
    public void stop() {}
  }

  private HostBuilder process(String name) {
    return HostBuilder.named(name).data(folder.resolve(name)).identity(folder.resolve("identity")).onFatal((what, cause) -> {
      throw new AssertionError(what, cause);
    });
  }

  private String embedded(String name) {
    return "embedded:" + folder.resolve(name).resolve("store");
  }

  private static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** As init does it: certificate and roots first, then the membership. */
  private void found(String nodeId) {
    found(nodeId, List.of("127.0.0.1:1"));
  }

  private void found(String nodeId, List<String> managers) {
    SecureRandom random = new SecureRandom();
    CertificateAuthority authority = CertificateAuthority.create(Clock.systemUTC().instant(), random);
    KeyPair keys = NodeCertificate.freshKey(random);
    String chain = authority.issue(
        new NodeName(nodeId, NodeRole.MANAGER, "c1"), keys.getPublic(), Clock.systemUTC().instant(), Duration.ofDays(1), random);
    new Trust(folder.resolve("identity"), Clock.systemUTC())
        .install(NodeCertificate.of(keys.getPrivate(), chain), List.of(authority.certificatePem()));
    new FileMembership(folder.resolve("identity"))
        .become(new Identity("c1", nodeId, true, "127.0.0.1", "127.0.0.1", "127.0.0.1:1", managers));
  }

  private static String asked(Host host) {
    try {
      LogsGrpc.newBlockingStub(host.channel("dispatcher")).withDeadlineAfter(SECONDS, TimeUnit.SECONDS)
          .read(LogSelector.getDefaultInstance()).forEachRemaining(_ -> {});
      return "nothing";
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode() + " " + e.getStatus().getDescription();
    }
  }

  /** Another process looks at the identity a second later. */
  private static String untilServed(Host calling) {
    String answer = asked(calling);
    for (int tries = 0; tries < 300 && answer.startsWith("UNAVAILABLE"); tries++) {
      LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
      answer = asked(calling);
    }
    return answer;
  }

  @Test
  void aServiceCallsAnotherProcessAsTheManagerThatBothAre() throws Exception {
    String listen = "127.0.0.1:" + freePort();
    Map<String, List<String>> peers = Map.of("dispatcher", List.of(listen));
    try (ProcessHost called = process("called").listen(listen).peers(Map.of()).component(new Called()).startProcess(embedded("called"));
        NodeHost calling = process("calling").peers(peers).startNode()) {
      assertThat(asked(called)).as("in its own process").isEqualTo("DATA_LOSS InProcess[]");
      assertThat(asked(calling)).as("nobody has an identity yet").startsWith("UNAVAILABLE");
      called.store().commit(new Store.Transaction(
          List.of(), List.of(new Store.Operation.Put(Rows.NODE_SPEC.key("n1").path(), NodeSpecRow.getDefaultInstance().toByteArray()))));
      CompletableFuture<Void> known = new CompletableFuture<>();
      try (AutoCloseable listening = calling.membership().listen(now -> now.ifPresent(_ -> known.complete(null)))) {
        assertThat(listening).isNotNull();
        found("n1");
        known.get(SECONDS, TimeUnit.SECONDS);
      }
      assertThat(untilServed(calling)).isEqualTo("DATA_LOSS Node[nodeId=n1, role=MANAGER]");
    }
  }

  /** An agent whose host's own dispatchers are gone: another manager's will do. */
  @Test
  void whereTheDispatchersThatItWasToldAreAwayAnotherManagersIsCalled() throws Exception {
    String away = "127.0.0.1:" + freePort();
    String listen = "127.0.0.1:" + freePort();
    try (ProcessHost other = process("other").listen(listen).peers(Map.of()).component(new Called()).startProcess(embedded("other"))) {
      other.store().commit(new Store.Transaction(
          List.of(), List.of(new Store.Operation.Put(Rows.NODE_SPEC.key("n1").path(), NodeSpecRow.getDefaultInstance().toByteArray()))));
      found("n1", List.of(away, listen));
      try (NodeHost agent = process("agent").peers(Map.of("dispatcher", List.of(away))).startNode()) {
        assertThat(agent.managers()).containsExactly(away, listen);
        assertThat(untilServed(agent)).isEqualTo("DATA_LOSS Node[nodeId=n1, role=MANAGER]");
        agent.managerChosen(away);
        assertThat(agent.managerSilent()).as("there is another one").isTrue();
        assertThat(untilServed(agent)).isEqualTo("DATA_LOSS Node[nodeId=n1, role=MANAGER]");
      }
    }
  }

  @Test
  void aProcessThatServesNobodyTakesNoPort() throws Exception {
    String listen = "127.0.0.1:" + freePort();
    found("n1");
    try (ProcessHost host = process("quiet").listen(listen).peers(Map.of()).startProcess(embedded("quiet"))) {
      assertThat(host.membership().current()).map(Identity::nodeId).contains("n1");
      assertThat(host.dataFolder("identity")).isEqualTo(folder.resolve("identity"));
      assertThat(host.door().open(listen)).as("it was free").isEqualTo(listen);
    }
  }

  @Test
  void everyProcessHasTheSameSettings() {
    Settings given = Settings.load(
        Optional.empty(),
        Map.of("SKEP_PEERS_CONTROL_API", "a:1, b:2", "SKEP_METRICS_PORT", "9464", "SKEP_IDENTITY", "/identity"),
        List.of("--store=etcd://h1", "--log=kafka://h2", "--listen=0.0.0.0:2400", "--metrics-address=127.0.0.2"));
    ProcessSettings process = ProcessSettings.withStore(given);
    given.refuseUnknown();
    assertThat(process.store()).isEqualTo("etcd://h1");
    assertThat(process.log()).contains("kafka://h2");
    assertThat(process.listen()).contains("0.0.0.0:2400");
    assertThat(process.identity()).contains(Path.of("/identity"));
    assertThat(process.peers()).isEqualTo(Map.of("control-api", List.of("a:1", "b:2")));
    assertThat(process.metrics().orElseThrow().toString()).isEqualTo("/127.0.0.2:9464");

    Settings edge = Settings.load(Optional.empty(), Map.of("SKEP_STORE", "etcd://h1"), List.of());
    ProcessSettings.plain(edge);
    assertThatThrownBy(edge::refuseUnknown).isInstanceOf(SettingsException.class).hasMessageStartingWith("SKEP_STORE is not a setting");
    Settings empty = Settings.load(Optional.empty(), Map.of(), List.of("--peers.dispatcher="));
    assertThatThrownBy(() -> ProcessSettings.withIdentity(empty)).hasMessage("--peers.dispatcher names nothing");
  }
}
