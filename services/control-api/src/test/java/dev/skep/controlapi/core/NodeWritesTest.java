package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.NodeSpec;
import dev.skep.state.ClusterState;
import dev.skep.state.IdSource;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.Write;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Requests about nodes, in a cluster of one manager and workers in each of the states. */
class NodeWritesTest {
  private final Tick tick = new Tick(Instant.EPOCH, new IdSource(new Random(1)));
  private final ClusterState state = rows().state();

  private static Rowset rows() {
    Rowset rows = new Rowset().node("m", "vm", "manager");
    for (String condition : List.of("ready", "unknown", "disconnected", "down")) {
      rows.put(Rows.NODE_SPEC.key(condition), spec(condition, "worker", "active"))
          .put(Rows.NODE_STATUS.key(condition), NodeStatusRow.newBuilder().setNodeId(condition).setState(condition).build());
    }
    return rows.put(Rows.NODE_SPEC.key("new"), spec("new", "worker", "active"));
  }

  private static NodeSpecRow spec(String id, String role, String availability) {
    return NodeSpecRow.newBuilder().setId(id).setSpec(NodeSpec.newBuilder().setRole(role).setAvailability(availability)).build();
  }

  private static String outcome(Answer<Planned<String>> answer) {
    return switch (answer) {
      case Answer.Ok<Planned<String>>(Planned<String> planned) -> {
        assertThat(planned.changes()).hasSize(1);
        yield "accepted";
      }
      case Answer.Refused<Planned<String>>(ApiError error) -> error.httpStatus() + " " + error.message();
    };
  }

  @Test
  void onlyNodesThatAreDownAreRemovedUnlessForced() {
    for (String id : List.of("ready", "unknown", "disconnected")) {
      assertThat(outcome(NodeWrites.remove(state, id, false)))
          .isEqualTo("400 rpc error: code = FailedPrecondition desc = node " + id + " is not down and can't be removed");
      assertThat(outcome(NodeWrites.remove(state, id, true))).isEqualTo("accepted");
    }
    assertThat(outcome(NodeWrites.remove(state, "down", false))).isEqualTo("accepted");
    assertThat(outcome(NodeWrites.remove(state, "new", false))).as("never came").isEqualTo("accepted");
    assertThat(outcome(NodeWrites.remove(state, "nosuch", true))).isEqualTo("404 node nosuch not found");
    for (boolean force : new boolean[] {false, true}) {
      assertThat(outcome(NodeWrites.remove(state, "m", force)))
          .isEqualTo(
              "400 rpc error: code = FailedPrecondition desc = node m is a cluster manager and is a member of the raft cluster."
                  + " It must be demoted to worker before removal");
    }
  }

  private String update(String id, NodeSpec.Builder spec) {
    return outcome(NodeWrites.update(state, id, state.row(Rows.NODE_SPEC.key(id)).modRevision(), spec.build(), tick));
  }

  @Test
  void promotionSaysHowToHaveSeveralManagersAndTheLastOneIsNotDemoted() {
    assertThat(update("ready", NodeSpec.newBuilder().setRole("manager")))
        .startsWith("501 rpc error: code = Unimplemented desc = a second manager is not built yet")
        .contains("etcd").contains("keep the node a worker");
    assertThat(update("m", NodeSpec.newBuilder().setRole("manager"))).isEqualTo("accepted");
    assertThat(update("m", NodeSpec.newBuilder().setRole("worker")))
        .isEqualTo("400 rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm");
  }

  @Test
  void whatIsLeftOutStaysAsItWas() {
    NodeSpec asked = NodeSpec.newBuilder().putLabels("zone", "a").build();
    var answer = NodeWrites.update(state, "ready", state.row(Rows.NODE_SPEC.key("ready")).modRevision(), asked, tick);
    assertThat(answer).isInstanceOf(Answer.Ok.class);
    Write write = ((Answer.Ok<Planned<String>>) answer).value().changes().getFirst().writes().getFirst();
    assertThat(((NodeSpecRow) ((Write.Put<?>) write).value()).getSpec())
        .isEqualTo(NodeSpec.newBuilder().setRole("worker").setAvailability("active").putLabels("zone", "a").build());
  }

  @Test
  void aReportOfTheNodeCostsNobodyAnUpdate() {
    long shown = state.row(Rows.NODE_STATUS.key("ready")).modRevision();
    assertThat(outcome(NodeWrites.update(state, "ready", shown, NodeSpec.getDefaultInstance(), tick))).isEqualTo("accepted");
    assertThat(outcome(NodeWrites.update(state, "ready", shown + 1, NodeSpec.getDefaultInstance(), tick)))
        .isEqualTo("500 rpc error: code = Unknown desc = update out of sequence");
  }
}
