package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.NodeSpec;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.SessionRow;
import dev.skep.testkit.gen.StateBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Who may use store and log, and how long one that was demoted still may. */
class ManagerChangesTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  private final StateBuilder state = new StateBuilder();

  private void node(String id, String role, Duration ago) {
    state.put(Rows.NODE_SPEC.key(id),
        NodeSpecRow.newBuilder().setId(id).setUpdatedAt(Times.of(NOW.minus(ago))).setSpec(NodeSpec.newBuilder().setRole(role)).build());
  }

  private void session(String id, String dispatcher, String dispatcherNode) {
    state.put(Rows.SESSION.key(id), SessionRow.newBuilder().setDispatcherId(dispatcher).build());
    state.put(Rows.PEER.key(dispatcher), DispatcherRow.newBuilder().setId(dispatcher).setNodeId(dispatcherNode).build());
  }

  @Test
  void whoIsDemotedHasAMomentToHearOfItFromItself() {
    node("a", "manager", Duration.ofDays(1));
    node("b", "worker", Duration.ofSeconds(3));
    session("b", "d", "b");
    node("w", "worker", Duration.ofSeconds(1));
    session("w", "e", "a");
    ManagerChanges soon = ManagerChanges.of(state.state(), NOW);
    assertThat(soon.nodeIds()).containsExactlyInAnyOrder("a", "b");
    assertThat(soon.until()).contains(NOW.plus(ManagerChanges.GRACE).minusSeconds(3));
    ManagerChanges later = ManagerChanges.of(state.state(), soon.until().orElseThrow());
    assertThat(later.nodeIds()).containsExactly("a");
    assertThat(later.until()).isEmpty();
  }

  @Test
  void whoHasHeardOfItGoesAtOnce() {
    node("a", "manager", Duration.ofDays(1));
    node("b", "worker", Duration.ofSeconds(3));
    session("b", "d", "a");
    assertThat(ManagerChanges.of(state.state(), NOW)).isEqualTo(new ManagerChanges(Set.of("a"), Optional.empty()));
    state.delete(Rows.PEER.key("d"));
    assertThat(ManagerChanges.of(state.state(), NOW).nodeIds()).containsExactly("a");
    assertThat(ManagerChanges.manages(state.state(), "a")).isTrue();
    assertThat(ManagerChanges.manages(state.state(), "b")).isFalse();
    assertThat(ManagerChanges.manages(state.state(), "gone")).isFalse();
  }
}
