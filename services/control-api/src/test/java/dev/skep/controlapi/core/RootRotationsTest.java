package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.skep.api.v1.CAConfig;
import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.Swarm;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.api.v1.TLSInfo;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.IdSource;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.Write;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.SealedRow;
import dev.skep.state.view.SwarmView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A rotation of the root from the request to its end, as clients see it by GET /swarm. */
class RootRotationsTest {
  private static final Key<SealedRow> KEY = Rows.SEALED.key("ca", "key");
  private static final Key<SealedRow> NEXT_KEY = Rows.SEALED.key("ca", "next-key");
  private static final Key<SealedRow> TOKEN = Rows.SEALED.key("token", "worker");

  private final Tick tick = new Tick(Instant.ofEpochSecond(1_000), new IdSource(new Random(1)));
  private ClusterState state = ClusterState.empty();

  @BeforeEach
  void init() {
    ClusterWrites.Founding founding =
        new ClusterWrites.Founding("c", "m", "epoch", "old root", bytes("subject"), bytes("old key"), Map.of(KEY, sealed("old")));
    commit(ClusterWrites.init(state, InitRequest.getDefaultInstance(), founding, "ingress", tick));
    report("m", "ready", "old key");
    node("w1");
    report("w1", "ready", "old key");
  }

  private static byte[] bytes(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  private static SealedRow sealed(String text) {
    return SealedRow.newBuilder().setCiphertext(ByteString.copyFromUtf8(text)).build();
  }

  private void commit(Answer<Planned<String>> answer) {
    if (!(answer instanceof Answer.Ok<Planned<String>>(Planned<String> planned))) {
      throw new AssertionError(((Answer.Refused<Planned<String>>) answer).error().message());
    }
    planned.changes().forEach(this::commit);
  }

  private void commit(ChangeSet change) {
    List<ClusterState.Stored> stored = new ArrayList<>();
    long revision = state.revision() + 1;
    for (Write write : change.writes()) {
      byte[] value = write instanceof Write.Put<?> put ? put.value().toByteArray() : null;
      stored.add(new ClusterState.Stored(write.key().path(), value, revision, revision));
    }
    state = state.apply(revision, stored).state();
  }

  private void node(String id) {
    NodeSpecRow row = NodeSpecRow.newBuilder().setId(id).setSpec(NodeSpec.newBuilder().setRole("worker")).build();
    commit(ChangeSet.about(id).put(Rows.NODE_SPEC.key(id), row).build());
  }

  private void report(String id, String condition, String issuerKey) {
    TLSInfo tls = TLSInfo.newBuilder().setCertIssuerPublicKey(ByteString.copyFromUtf8(issuerKey)).build();
    NodeStatusRow row =
        NodeStatusRow.newBuilder().setNodeId(id).setState(condition).setDescription(NodeDescription.newBuilder().setTlsInfo(tls)).build();
    commit(ChangeSet.about(id).put(Rows.NODE_STATUS.key(id), row).build());
  }

  private boolean followed() {
    return RootRotations.followed(state, tick.now());
  }

  private SwarmSpec spec(long forceRotate) {
    SwarmSpec.Builder spec = state.value(Rows.cluster()).getSpec().toBuilder();
    spec.getCaConfigBuilder().setForceRotate(forceRotate);
    return spec.build();
  }

  private void rotate(long forceRotate, String name) {
    assertThat(RootRotations.wanted(state, spec(forceRotate).getCaConfig())).isTrue();
    RootRotations.Next next =
        new RootRotations.Next(name + " root", name + " link", bytes("subject"), bytes(name + " key"), Map.of(NEXT_KEY, sealed(name)));
    commit(ClusterWrites.update(state, state.row(Rows.cluster()).modRevision(), spec(forceRotate), Map.of(), Optional.of(next), tick));
  }

  private void finish() {
    commit(
        RootRotations.finish(
            state, new RootRotations.Sealed(Map.of(KEY, sealed("new"), TOKEN, sealed("fresh token")), Set.of(NEXT_KEY)), tick));
  }

  private Swarm swarm() {
    return SwarmView.of(state).orElseThrow();
  }

  @Test
  void itEndsWhenEveryNodeHasFollowed() {
    assertThat(followed()).as("none is under way").isFalse();
    rotate(1, "new");
    assertThat(swarm().getRootRotationInProgress()).isTrue();
    assertThat(swarm().getTlsInfo().getTrustRoot()).isEqualTo("old root");
    assertThat(swarm().getTlsInfo().getCertIssuerPublicKey().toStringUtf8()).isEqualTo("new key");
    assertThat(state.has(NEXT_KEY)).isTrue();
    report("m", "ready", "new key");
    assertThat(followed()).as("w1 has not").isFalse();
    report("w1", "disconnected", "old key");
    assertThat(followed()).as("it may be back at any moment").isFalse();
    report("w1", "ready", "new key");
    node("w3");
    assertThat(followed()).as("w3 joins right now").isFalse();
    report("w3", "ready", "new key");
    assertThat(followed()).isTrue();

    finish();
    assertThat(swarm().getRootRotationInProgress()).isFalse();
    assertThat(swarm().getTlsInfo().getTrustRoot()).isEqualTo("new root");
    assertThat(swarm().getTlsInfo().getCertIssuerPublicKey().toStringUtf8()).isEqualTo("new key");
    assertThat(swarm().getSpec().getCaConfig().getForceRotate()).isEqualTo(1);
    assertThat(state.value(KEY)).isEqualTo(sealed("new"));
    assertThat(state.has(NEXT_KEY)).isFalse();
    assertThat(followed()).isFalse();
  }

  @Test
  void aNodeThatIsDownIsWaitedForForAnHour() {
    rotate(1, "new");
    report("m", "ready", "new key");
    report("w1", "down", "old key");
    Instant started = tick.now();
    assertThat(RootRotations.followed(state, started.plus(RootRotations.PATIENCE).minusNanos(1))).isFalse();
    assertThat(RootRotations.followed(state, started.plus(RootRotations.PATIENCE))).isTrue();
    assertThat(RootRotations.patientUntil(state)).contains(started.plus(RootRotations.PATIENCE));
    report("w1", "ready", "old key");
    assertThat(RootRotations.followed(state, started.plus(RootRotations.PATIENCE))).as("it is back, and about to follow").isFalse();
    report("w1", "ready", "new key");
    assertThat(followed()).isTrue();
  }

  @Test
  void anotherRotationGivesUpTheOneUnderWay() {
    rotate(1, "first");
    report("m", "ready", "first key");
    report("w1", "ready", "first key");
    rotate(2, "second");
    assertThat(followed()).isFalse();
    assertThat(swarm().getTlsInfo().getTrustRoot()).isEqualTo("old root");
    assertThat(swarm().getTlsInfo().getCertIssuerPublicKey().toStringUtf8()).isEqualTo("second key");
    assertThat(state.value(NEXT_KEY)).isEqualTo(sealed("second"));
  }

  @Test
  void onlyTheCounterAsksForARotation() {
    assertThat(RootRotations.wanted(state, spec(0).getCaConfig())).isFalse();
    assertThat(RootRotations.wanted(ClusterState.empty(), CAConfig.newBuilder().setForceRotate(1).build())).isFalse();
    rotate(1, "new");
    assertThat(RootRotations.wanted(state, spec(1).getCaConfig())).as("an update of something else meanwhile").isFalse();
  }

  @Test
  void whatIsNotBuiltIsRefusedByName() {
    SwarmSpec.Builder own = spec(0).toBuilder();
    own.getCaConfigBuilder().setSigningCaCert("pem");
    assertThat(refusal(own)).startsWith("rpc error: code = Unimplemented desc = a root certificate of one's own (--ca-cert)");
    SwarmSpec.Builder keyOnly = spec(0).toBuilder();
    keyOnly.getCaConfigBuilder().setSigningCaKey("pem");
    assertThat(refusal(keyOnly))
        .isEqualTo("rpc error: code = InvalidArgument desc = if a signing CA key is provided, the signing CA cert must also be provided");
    SwarmSpec.Builder external = spec(0).toBuilder();
    external.getCaConfigBuilder().addExternalCasBuilder().setUrl("https://ca");
    assertThat(refusal(external)).startsWith("rpc error: code = Unimplemented desc = an external CA");
  }

  private String refusal(SwarmSpec.Builder spec) {
    var answer =
        ClusterWrites.update(state, state.row(Rows.cluster()).modRevision(), spec.build(), Map.of(), Optional.empty(), tick);
    return answer instanceof Answer.Refused<Planned<String>>(ApiError error) ? error.message() : "accepted";
  }
}
