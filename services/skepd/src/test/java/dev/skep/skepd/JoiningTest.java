package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.identity.JoinToken;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How hosts become nodes and stop being some, over the real door. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class JoiningTest {
  @TempDir Path folder;
  private Nodes nodes;
  private Nodes.Node manager;

  @BeforeEach
  void found() throws Exception {
    nodes = new Nodes(folder);
    manager = nodes.manager();
  }

  @AfterEach
  void close() {
    nodes.close();
  }

  private String workerToken() {
    return Nodes.token(manager, NodeRole.WORKER);
  }

  @Test
  void aHostJoinsAsAWorkerAndLeaves() throws Exception {
    Nodes.Node worker = nodes.host();
    assertThat(Nodes.join(worker, workerToken(), Nodes.door(manager))).isEqualTo("200 ");
    Identity identity = worker.host.membership().current().orElseThrow();
    assertThat(identity.manager()).isFalse();
    assertThat(identity.clusterId()).isEqualTo(manager.host.view().state().value(Rows.cluster()).getId());
    assertThat(identity.managers()).containsExactly(Nodes.door(manager));
    assertThat(identity.advertiseAddress()).isEqualTo("127.0.0.1");
    ClusterState seen = Nodes.awaitState(manager, worker.id(), "ready");
    assertThat(seen.value(Rows.NODE_SPEC.key(worker.id())).getSpec().getRole()).isEqualTo("worker");
    assertThat(seen.value(Rows.NODE_STATUS.key(worker.id())).getDescription().getTlsInfo().getCertIssuerPublicKey())
        .isEqualTo(seen.value(Rows.cluster()).getCertIssuerPublicKey());
    assertThat(Nodes.join(worker, workerToken(), Nodes.door(manager))).startsWith("503").contains("already part of a swarm");
    assertThat(worker.post("/swarm/init", "{}")).startsWith("503").contains("already part of a swarm");

    assertThat(worker.post("/swarm/leave", "")).isEqualTo("200 ");
    String left = identity.nodeId();
    assertThat(manager.host.view().state().value(Rows.NODE_STATUS.key(left)).getState()).isEqualTo("down"); // at once, and not by silence
    assertThat(worker.host.membership().current()).isEmpty();
    assertThat(worker.host.trust().certificate()).isEmpty();

    assertThat(Nodes.join(worker, workerToken(), Nodes.door(manager))).isEqualTo("200 ");
    assertThat(worker.id()).as("an id has no second life").isNotEqualTo(left);
    Nodes.awaitState(manager, worker.id(), "ready");
    assertThat(manager.host.view().state().value(Rows.NODE_STATUS.key(left)).getState()).isEqualTo("down");
  }

  @Test
  void whoIsNotInvitedReadsWhy() throws Exception {
    Nodes.Node host = nodes.host();
    String door = Nodes.door(manager);
    assertThat(Nodes.join(host, "SWMTKN-1-bad", door)).startsWith("500").contains("\"invalid join token\"");
    JoinToken own = JoinToken.parse(workerToken()).orElseThrow();
    JoinToken guessed = new JoinToken(own.rootDigest(), "0".repeat(25));
    assertThat(Nodes.join(host, guessed.text(), door)).startsWith("400")
        .contains("rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster");
    JoinToken foreign = JoinToken.fresh("another root", new SecureRandom());
    assertThat(Nodes.join(host, foreign.text(), door)).startsWith("500")
        .contains("remote CA does not match fingerprint. Expected: " + foreign.rootDigestHex());
    assertThat(Nodes.join(host, Nodes.token(manager, NodeRole.MANAGER), door)).startsWith("400").contains("skep migrate", "several managers");
    assertThat(host.post("/swarm/join", "{\"JoinToken\":\"" + workerToken() + "\"}")).startsWith("400").contains("at least 1 RemoteAddr");
    assertThat(host.post("/swarm/join", "{\"JoinToken\":\"" + workerToken() + "\",\"RemoteAddrs\":[\"" + door + "\"],\"Availability\":\"lazy\"}"))
        .startsWith("400").contains("invalid Availability");
    assertThat(host.host.membership().current()).isEmpty();
    assertThat(manager.host.view().state().rows(Rows.NODE_SPEC)).as("nobody was let in").hasSize(1);
    assertThat(Nodes.join(host, workerToken(), door)).isEqualTo("200 ");
  }

  @Test
  void aRotatedTokenInvitesNobody() throws Exception {
    Nodes.Node host = nodes.host();
    String old = workerToken();
    String swarm = manager.get("/swarm");
    String version = swarm.replaceFirst("(?s).*?\"Index\":(\\d+).*", "$1");
    assertThat(manager.post("/swarm/update?rotateWorkerToken=true&version=" + version, "{\"Name\":\"default\"}")).startsWith("200");
    assertThat(Nodes.join(host, old, Nodes.door(manager))).startsWith("400").contains("A valid join token is necessary");
    assertThat(Nodes.join(host, workerToken(), Nodes.door(manager))).isEqualTo("200 ");
  }

  @Test
  void whoDoesNotReachAManagerReadsWhy() throws Exception {
    Nodes.Node host = nodes.host();
    try (Socket deaf = new Socket()) { // has the port, so that nobody else takes it, and does not listen
      deaf.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      String nobody = "127.0.0.1:" + deaf.getLocalPort();
      assertThat(Nodes.join(host, workerToken(), nobody)).startsWith("503").contains("rpc error: code = Unavailable desc = connection error: desc ="
          + " \\\"transport: Error while dialing dial tcp " + nobody + ": connect: connection refused\\\"");
      assertThat(Nodes.join(host, workerToken(), nobody, Nodes.door(manager))).as("the next one is asked").isEqualTo("200 ");
    }
  }

  @Test
  void aClockThatIsFarOffIsNamed() throws Exception {
    Nodes.Node host = nodes.host();
    host.clock.by(Duration.ofMinutes(61));
    assertThat(Nodes.join(host, workerToken(), Nodes.door(manager))).startsWith("400").contains("differ by 1 h 1 min", "NTP");
    host.clock.by(Duration.ofMinutes(-3 * 61));
    assertThat(Nodes.join(host, workerToken(), Nodes.door(manager))).startsWith("400").contains("differ by 2 h");
    assertThat(manager.host.view().state().rows(Rows.NODE_SPEC)).hasSize(1);
    host.clock.by(Duration.ofMinutes(2 * 61 - 30));
    assertThat(Nodes.join(host, workerToken(), Nodes.door(manager))).isEqualTo("200 ");
  }

  @Test
  void whereAManagerCannotListenIsTold() throws Exception {
    Nodes.Node host = nodes.host();
    assertThat(host.post("/swarm/init", "{\"ListenAddr\":\"nowhere0:2377\"}")).startsWith("400").contains("listen address must be");
    assertThat(host.post("/swarm/init", "{\"ListenAddr\":\"127.0.0.1:0\",\"AdvertiseAddr\":\"127.0.0.1\",\"DataPathAddr\":\"nowhere0\"}"))
        .startsWith("400").contains("data path address must be");
    assertThat(host.post("/swarm/init", "{\"ListenAddr\":\"127.0.0.1:0\",\"AdvertiseAddr\":\"127.0.0.1\"}")).startsWith("200");
  }
}
