package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.control.v1.Restore;
import dev.skep.state.ChangeSet;
import dev.skep.state.IdSource;
import dev.skep.state.Restored;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.Times;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.Origin;
import dev.skep.state.view.NodeView;
import dev.skep.state.view.SwarmView;
import dev.skep.testkit.gen.StateBuilder;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** From a restore to its confirmation, as users see it. */
class RestoresTest {
  private static final Instant SAVED = Instant.parse("2026-01-02T03:04:05Z");
  private final Tick tick = new Tick(Instant.ofEpochSecond(1_000), new IdSource(new Random(1)));

  private static StateBuilder restored() {
    Origin origin = Origin.newBuilder().setCopiedAt(Times.of(SAVED)).setUnconfirmed(true).build();
    return new StateBuilder()
        .put(Rows.cluster(), ClusterRow.newBuilder().setId("c").setEpoch("e").setOrigin(origin).build())
        .put(Rows.NODE_SPEC.key("n1"), NodeSpecRow.newBuilder().setId("n1").build())
        .put(Rows.NODE_STATUS.key("n1"), NodeStatusRow.newBuilder().setNodeId("n1").setState("ready").addUnknownTasks("t9").build())
        .put(Rows.NODE_SPEC.key("n2"), NodeSpecRow.newBuilder().setId("n2").build());
  }

  @Test
  void whatWaitsIsSaidEverywhere() {
    var state = restored().state();
    String notice = Restored.notice(state).orElseThrow();
    assertThat(notice).contains("2026-01-02T03:04:05Z").contains("skep restore --confirm");
    assertThat(SwarmView.info(state, "n1").getError()).isEqualTo(notice);
    assertThat(NodeView.of(state, "n1").orElseThrow().getStatus().getMessage()).isEqualTo(notice);
    Restore pending = ((Answer.Ok<Restore>) Restores.pending(state)).value();
    assertThat(pending.getNodesList()).extracting("id", "state").containsExactly(
        org.assertj.core.groups.Tuple.tuple("n1", "ready"), org.assertj.core.groups.Tuple.tuple("n2", "unknown"));
    assertThat(pending.getNodes(0).getUnknownTasksList()).containsExactly("t9");
  }

  @Test
  void aConfirmationEndsItOnce() {
    StateBuilder cluster = restored();
    Planned<Restore> planned = ((Answer.Ok<Planned<Restore>>) Restores.confirm(cluster.state(), tick)).value();
    ChangeSet change = planned.changes().getFirst();
    assertThat(cluster.apply(change)).isTrue();
    assertThat(Restored.acts(cluster.state())).isTrue();
    assertThat(cluster.state().value(Rows.cluster()).getOrigin().getCopiedAt()).as("where it is from stays known").isEqualTo(Times.of(SAVED));
    assertThat(SwarmView.info(cluster.state(), "n1").getError()).isEmpty();
    assertThat(Restores.confirm(cluster.state(), tick)).isInstanceOfSatisfying(Answer.Refused.class,
        refused -> assertThat(refused.error().message()).contains("no restore waits"));
    assertThat(cluster.apply(change)).as("of two who confirm at once one lands").isFalse();
  }
}
