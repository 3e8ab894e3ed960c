package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.NodeSpec;
import dev.skep.runtime.identity.JoinToken;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.RootRotation;
import dev.skep.state.v1.SessionRow;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Certificates and the root are replaced under a running cluster: sessions stay, and no node is ever suspected. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class RotationTest {
  @TempDir Path folder;
  private Nodes nodes;
  private Nodes.Node manager;
  private Nodes.Node worker;

  @BeforeEach
  void found() throws Exception {
    nodes = new Nodes(folder);
    manager = nodes.manager();
    patient();
    worker = nodes.host();
    assertThat(Nodes.join(worker, Nodes.token(manager, NodeRole.WORKER), Nodes.door(manager))).isEqualTo("200 ");
    Nodes.awaitState(manager, worker.id(), "ready");
  }

  /** A busy machine that runs tests may starve an agent for seconds, which is not what is asked here. */
  private void patient() {
    ClusterRow.Builder cluster = manager.host.view().state().value(Rows.cluster()).toBuilder();
    cluster.getSpecBuilder().getDispatcherBuilder().setHeartbeatPeriod(Duration.ofMinutes(1).toNanos());
    manager.host.put(Rows.cluster(), cluster.build());
  }

  @AfterEach
  void close() {
    nodes.close();
  }

  /** Runs the change, and fails when a node's session or state was another one for a moment. */
  private void undisturbed(Change change) throws Exception {
    ClusterState before = manager.host.view().state();
    List<String> ids = List.of(manager.id(), worker.id());
    List<SessionRow> sessions = ids.stream().map(id -> before.value(Rows.SESSION.key(id))).toList();
    List<String> disturbed = new CopyOnWriteArrayList<>();
    try (AutoCloseable listening = manager.host.view().listen((state, changes, reset) -> {
      boolean same = ids.stream().map(id -> state.value(Rows.SESSION.key(id))).toList().equals(sessions);
      boolean ready = ids.stream().allMatch(id -> state.value(Rows.NODE_STATUS.key(id)).getState().equals("ready"));
      if (!same || !ready) {
        ids.forEach(id -> disturbed.add(state.value(Rows.NODE_STATUS.key(id)).getMessage() + " " + state.value(Rows.SESSION.key(id))));
      }
    })) {
      assertThat(listening).isNotNull();
      change.run();
    }
    assertThat(disturbed).isEmpty();
  }

  private interface Change {
    void run() throws Exception;
  }

  private static boolean issuedBy(ClusterState state, String node, RootRotation next) {
    return state.value(Rows.NODE_STATUS.key(node)).getDescription().getTlsInfo().getCertIssuerPublicKey()
        .equals(next.getIssuerPublicKey());
  }

  @Test
  void theRootIsReplacedWithoutALostHeartbeat() throws Exception {
    String oldToken = Nodes.token(manager, NodeRole.WORKER);
    Key<NodeSpecRow> straggler = Rows.NODE_SPEC.key("straggler"); // was admitted and has not come yet: the rotation waits for it
    manager.host.put(straggler, NodeSpecRow.newBuilder().setId("straggler").setSpec(NodeSpec.newBuilder().setRole("worker")).build());
    undisturbed(() -> {
      RootRotation next = Nodes.rotate(manager);
      manager.host.await("both nodes have certificates of the new root",
          state -> issuedBy(state, manager.id(), next) && issuedBy(state, worker.id(), next));
      Nodes.Node late = nodes.host(); // its token names the old root, its certificate comes from the new one
      assertThat(Nodes.join(late, oldToken, Nodes.door(manager))).isEqualTo("200 ");
      Nodes.awaitState(manager, late.id(), "ready");
      assertThat(late.host.trust().roots()).hasSize(2);
      CountDownLatch one = new CountDownLatch(2);
      for (Nodes.Node node : List.of(worker, late)) {
        node.host.trust().listen(() -> {
          if (node.host.trust().roots().size() == 1) {
            one.countDown();
          }
        });
      }
      manager.host.delete(straggler);
      assertThat(one.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(late.host.trust().info().getTrustRoot()).isEqualTo(next.getRootPem());
    });
    assertThat(JoinToken.parse(oldToken)).isPresent();
    Nodes.Node later = nodes.host();
    assertThat(Nodes.join(later, oldToken, Nodes.door(manager))).startsWith("500").contains("remote CA does not match fingerprint");
  }

  @Test
  void aCertificateIsRenewedInTheSecondHalfOfItsLife() throws Exception {
    NodeCertificate first = worker.host.trust().certificate().orElseThrow();
    CountDownLatch renewed = new CountDownLatch(1);
    worker.host.trust().listen(renewed::countDown);
    SessionRow session = manager.host.view().state().value(Rows.SESSION.key(worker.id()));
    manager.clock.by(Duration.ofDays(80)); // both: their clocks agree
    worker.clock.by(Duration.ofDays(80));
    assertThat(renewed.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(manager.host.view().state().value(Rows.SESSION.key(worker.id()))).as("the session goes on").isEqualTo(session);
    NodeCertificate second = worker.host.trust().certificate().orElseThrow();
    assertThat(second.name()).isEqualTo(first.name());
    assertThat(second.key()).as("with a key of its own").isNotEqualTo(first.key());
    assertThat(second.ends()).isAfter(first.ends());
  }
}
