package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.NodeSpec;
import dev.skep.state.ClusterState;
import dev.skep.state.EmbeddedCluster;
import dev.skep.state.Guard;
import dev.skep.state.IdSource;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.Write;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.view.NodeView;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Requests about nodes, in a cluster of one manager and workers in each of the states. */
class NodeWritesTest {
  private final Tick tick = new Tick(Instant.EPOCH, new IdSource(new Random(1)));
  private ClusterState state = rows().state();

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
    return outcome(NodeWrites.update(state, id, state.row(Rows.NODE_SPEC.key(id)).modRevision(), spec.build(), false, tick));
  }

  @Test
  void promotionSaysHowToHaveSeveralManagersAndTheLastOneIsNotDemoted() {
    assertThat(update("ready", NodeSpec.newBuilder().setRole("manager")))
        .isEqualTo("400 rpc error: code = FailedPrecondition desc = " + EmbeddedCluster.ONE_MANAGER).contains("skep migrate");
    assertThat(update("m", NodeSpec.newBuilder().setRole("manager"))).isEqualTo("accepted");
    assertThat(update("m", NodeSpec.newBuilder().setRole("worker")))
        .isEqualTo("400 rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm");
  }

  private String onASharedStore(String id, String role) {
    long version = state.row(Rows.NODE_SPEC.key(id)).modRevision();
    return outcome(NodeWrites.update(state, id, version, NodeSpec.newBuilder().setRole(role).build(), true, tick));
  }

  @Test
  void onASharedStoreNodesAreMadeManagersAndTheLastThatAnswersStays() {
    assertThat(onASharedStore("ready", "manager")).isEqualTo("accepted");
    assertThat(onASharedStore("m", "worker")).endsWith("attempting to demote the last manager of the swarm");
    state = rows().put(Rows.NODE_SPEC.key("m2"), spec("m2", "manager", "active"))
        .put(Rows.NODE_STATUS.key("ready"), NodeStatusRow.newBuilder().setNodeId("ready").setState("ready").setCannotManage("no room").build())
        .state();
    assertThat(onASharedStore("m", "worker")).isEqualTo("accepted");
    assertThat(onASharedStore("ready", "manager"))
        .isEqualTo("400 rpc error: code = FailedPrecondition desc = node ready cannot become a manager: no room");
    Answer<Planned<String>> demotion = NodeWrites.update(
        state, "m", state.row(Rows.NODE_SPEC.key("m")).modRevision(), NodeSpec.newBuilder().setRole("worker").build(), true, tick);
    assertThat(((Answer.Ok<Planned<String>>) demotion).value().changes().getFirst().guards())
        .as("two managers that demote each other at once do not both succeed")
        .contains(new Guard.Unmodified(Rows.NODE_SPEC.key("m2"), state.row(Rows.NODE_SPEC.key("m2")).modRevision()));
    state = rows().put(Rows.NODE_SPEC.key("m2"), spec("m2", "manager", "active"))
        .put(Rows.NODE_STATUS.key("m2"), NodeStatusRow.newBuilder().setNodeId("m2").setState("down").build()).state();
    assertThat(onASharedStore("m", "worker")).contains("the other managers are down");
    assertThat(onASharedStore("m2", "worker")).isEqualTo("accepted");
  }

  /** Its agent goes on without the control services of its host, where those are processes of their own. */
  @Test
  void aManagerWithoutADispatcherDoesNotAnswer() {
    Rowset two = rows().put(Rows.NODE_SPEC.key("m2"), spec("m2", "manager", "active"))
        .put(Rows.NODE_STATUS.key("m"), NodeStatusRow.newBuilder().setNodeId("m").setState("ready").build())
        .put(Rows.NODE_STATUS.key("m2"), NodeStatusRow.newBuilder().setNodeId("m2").setState("ready").build())
        .put(Rows.PEER.key("d1"), DispatcherRow.newBuilder().setId("d1").setNodeId("m").build());
    state = two.state();
    assertThat(reachability("m")).isEqualTo("reachable");
    assertThat(reachability("m2")).isEqualTo("unreachable");
    assertThat(onASharedStore("m", "worker")).contains("the other managers are down");
    assertThat(onASharedStore("m2", "worker")).isEqualTo("accepted");
    state = two.put(Rows.PEER.key("d2"), DispatcherRow.newBuilder().setId("d2").setNodeId("m2").build()).state();
    assertThat(reachability("m2")).isEqualTo("reachable");
    assertThat(onASharedStore("m", "worker")).isEqualTo("accepted");
  }

  private String reachability(String id) {
    return NodeView.of(state, id).orElseThrow().getManagerStatus().getReachability();
  }

  @Test
  void whatIsLeftOutStaysAsItWas() {
    NodeSpec asked = NodeSpec.newBuilder().putLabels("zone", "a").build();
    var answer = NodeWrites.update(state, "ready", state.row(Rows.NODE_SPEC.key("ready")).modRevision(), asked, false, tick);
    assertThat(answer).isInstanceOf(Answer.Ok.class);
    Write write = ((Answer.Ok<Planned<String>>) answer).value().changes().getFirst().writes().getFirst();
    assertThat(((NodeSpecRow) ((Write.Put<?>) write).value()).getSpec())
        .isEqualTo(NodeSpec.newBuilder().setRole("worker").setAvailability("active").putLabels("zone", "a").build());
  }

  @Test
  void aReportOfTheNodeCostsNobodyAnUpdate() {
    long shown = state.row(Rows.NODE_STATUS.key("ready")).modRevision();
    assertThat(outcome(NodeWrites.update(state, "ready", shown, NodeSpec.getDefaultInstance(), false, tick))).isEqualTo("accepted");
    assertThat(outcome(NodeWrites.update(state, "ready", shown + 1, NodeSpec.getDefaultInstance(), false, tick)))
        .isEqualTo("500 rpc error: code = Unknown desc = update out of sequence");
  }
}
