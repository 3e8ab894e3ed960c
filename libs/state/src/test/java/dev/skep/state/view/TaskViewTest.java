package dev.skep.state.view;

import static dev.skep.state.view.Cluster.NETWORK;
import static dev.skep.state.view.Cluster.NODE;
import static dev.skep.state.view.Cluster.SERVICE;
import static dev.skep.state.view.Cluster.TASK;
import static dev.skep.state.view.Fixture.at;
import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.Task;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.Rows;
import dev.skep.state.v1.NetworkProblem;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.PortProblem;
import dev.skep.state.v1.TaskState;
import org.junit.jupiter.api.Test;

/** State, message and reason of a task at every step of its life. */
class TaskViewTest {
  @Test
  void aNewTaskSaysWhatItsAllocationLacks() {
    Fixture fixture = Cluster.complete().delete(Rows.STATUS.key(TASK)).delete(Rows.PLACEMENT.key(TASK)).delete(Rows.ADDRESS.key(TASK));
    assertStatus(fixture, "new", "created", "", 20);
    Fixture pool = fixture.copy().change(Rows.POOL.key(NETWORK), row -> row.toBuilder().setError("no subnet left").build());
    assertStatus(pool, "new", "created", "no subnet left", 20);
    Fixture endpoint = pool.copy().change(Rows.ENDPOINT.key(SERVICE), row -> row.toBuilder().setError("no port left").build());
    assertStatus(endpoint, "new", "created", "no port left", 20);
    Fixture address = Cluster.complete().delete(Rows.STATUS.key(TASK)).delete(Rows.PLACEMENT.key(TASK));
    address.change(Rows.ADDRESS.key(TASK), row -> row.toBuilder().setError("10.0.1.0/24 is exhausted").build());
    assertStatus(address, "new", "created", "10.0.1.0/24 is exhausted", 22);
    assertThat(task(address).getNetworksAttachmentsList()).isEmpty();
  }

  @Test
  void theIngressNetworksTroubleIsThatOfServicesWithPublishedPorts() {
    Fixture fixture = Cluster.complete().delete(Rows.STATUS.key(TASK)).delete(Rows.PLACEMENT.key(TASK)).delete(Rows.ADDRESS.key(TASK));
    fixture.change(Rows.template(SERVICE, 2), row -> row.toBuilder().setTask(TaskSpec.getDefaultInstance()).build());
    fixture.change(Rows.POOL.key(NETWORK), row -> row.toBuilder().setIngress(true).setError("overlaps a route").build());
    assertStatus(fixture, "new", "created", "overlaps a route", 20);
  }

  @Test
  void aPendingTaskSaysWhyNoNodeFits() {
    Fixture fixture = Cluster.complete().delete(Rows.STATUS.key(TASK)).delete(Rows.PLACEMENT.key(TASK));
    assertStatus(fixture, "pending", "pending task scheduling", "", 22);
    String reason = "no suitable node (scheduling constraints not satisfied on 1 node)";
    fixture.put(Rows.PLACEMENT.key(TASK), PlacementRow.newBuilder().setTaskId(TASK).setReason(reason).setTimestamp(at(30)).build());
    assertStatus(fixture, "pending", "pending task scheduling", reason, 30);
  }

  @Test
  void anAssignedTask() {
    Fixture fixture = Cluster.complete().delete(Rows.STATUS.key(TASK));
    assertStatus(fixture, "assigned", "scheduler assigned task to node", "", 23);
    fixture.change(Rows.INTENT.key(TASK), row -> row.toBuilder().setSlot(0).setNodeId(NODE).build());
    assertStatus(fixture, "assigned", "scheduler confirmed task can run on preassigned node", "", 23);
    fixture.delete(Rows.PLACEMENT.key(TASK));
    assertThat(task(fixture).getNodeId()).as("a global task shows its node from the beginning").isEqualTo(NODE);
    assertStatus(fixture, "pending", "pending task scheduling", "", 22);
  }

  @Test
  void aTaskThatItsNodeCannotConnectSaysWhy() {
    Fixture fixture = Cluster.complete().delete(Rows.STATUS.key(TASK));
    Fixture gateway = fixture.copy()
        .change(Rows.GATEWAY.key(NODE, NETWORK), row -> row.toBuilder().clearAddress().setError("no address left for a gateway").build());
    assertStatus(gateway, "assigned", "scheduler assigned task to node", "no address left for a gateway", 23);
    fixture.change(
        Rows.NODE_STATUS.key(NODE),
        row -> row.toBuilder()
            .addNetworkProblems(NetworkProblem.newBuilder().setNetworkId(NETWORK).setReason("overlaps a route of this host")).build());
    assertStatus(fixture, "assigned", "scheduler assigned task to node", "overlaps a route of this host", 23);
  }

  @Test
  void aTaskOfANodeWithoutItsEngineSaysSo() {
    Fixture fixture = Cluster.complete().change(Rows.NODE_STATUS.key(NODE), row -> row.toBuilder().setEngineProblem("the engine does not answer").build());
    assertStatus(fixture, "running", "started", "the engine does not answer", 24);
  }

  @Test
  void aRunningTaskSaysThatItsPortIsTakenOnItsNode() {
    Fixture fixture = Cluster.complete();
    fixture.change(
        Rows.NODE_STATUS.key(NODE),
        row -> row.toBuilder()
            .addPortProblems(PortProblem.newBuilder().setProtocol("tcp").setPort(30000).setReason("port 30000 is taken by another program"))
            .build());
    assertStatus(fixture, "running", "started", "port 30000 is taken by another program", 24);
    Fixture otherProtocol =
        Cluster.complete()
            .change(Rows.NODE_STATUS.key(NODE), row -> row.toBuilder()
                .addPortProblems(PortProblem.newBuilder().setProtocol("udp").setPort(30000).setReason("x")).build());
    assertStatus(otherProtocol, "running", "started", "", 24);
    fixture.change(
        Rows.STATUS.key(TASK), row -> row.toBuilder().setState(TaskState.TASK_FAILED).setErr("task: non-zero exit (137)").build());
    assertStatus(fixture, "failed", "started", "task: non-zero exit (137)", 24);
  }

  @Test
  void whatTheOrchestratorGaveUpIsRejected() {
    Fixture fixture = Cluster.complete()
        .change(Rows.INTENT.key(TASK), row -> row.toBuilder().setRejected("assigned node no longer meets constraints").build());
    assertStatus(fixture, "rejected", "task rejected by constraint enforcer", "assigned node no longer meets constraints", 21);
    assertThat(task(fixture).getStatus().getContainerStatus().getContainerId()).isEqualTo("c1");
  }

  @Test
  void aTaskOfARemovedNodeIsOrphanedUnlessItHadEnded() {
    Fixture fixture = Cluster.complete().delete(Rows.NODE_SPEC.key(NODE)).delete(Rows.NODE_STATUS.key(NODE));
    assertThat(task(fixture).getStatus().getState()).isEqualTo("orphaned");
    assertThat(task(fixture).getStatus().getMessage()).isEqualTo("Task belonged to a node that has been deleted");
    assertThat(task(fixture).getNodeId()).isEqualTo(NODE);
    fixture.change(Rows.STATUS.key(TASK), row -> row.toBuilder().setState(TaskState.TASK_COMPLETE).setMessage("finished").build());
    assertStatus(fixture, "complete", "finished", "", 24);
  }

  @Test
  void tasksOfARemovedServiceAreInNoList() {
    Fixture fixture = Cluster.complete();
    assertThat(TaskView.all(fixture.state())).hasSize(1).isEqualTo(TaskView.ofService(fixture.state(), SERVICE));
    fixture.delete(Rows.SERVICE.key(SERVICE));
    assertThat(TaskView.all(fixture.state())).isEmpty();
    assertThat(TaskView.of(fixture.state(), TASK)).isEmpty();
  }

  @Test
  void theRuntimeIsShownInServicesOnly() {
    Fixture fixture = Cluster.complete();
    assertThat(ServiceView.of(fixture.state(), SERVICE).orElseThrow().getSpec().getTaskTemplate().getRuntime()).isEqualTo("container");
    fixture.change(Rows.template(SERVICE, 2), row -> row.toBuilder().setTask(row.getTask().toBuilder().setRuntime("container")).build());
    assertThat(task(fixture).getSpec().getRuntime()).isEmpty();
  }

  @Test
  void everyStateHasItsWord() {
    for (TaskState state : TaskState.values()) {
      if (state != TaskState.UNRECOGNIZED) {
        assertThat(TaskStates.of(TaskStates.text(state))).contains(state);
      }
    }
    assertThat(TaskStates.of("RUNNING")).contains(TaskState.TASK_RUNNING);
    assertThat(TaskStates.of("foo")).isEmpty();
  }

  private static Task task(Fixture fixture) {
    return TaskView.of(fixture.state(), TASK).orElseThrow();
  }

  private static void assertStatus(Fixture fixture, String state, String message, String err, long seconds) {
    Task task = task(fixture);
    assertThat(task.getStatus().getState()).isEqualTo(state);
    assertThat(task.getStatus().getMessage()).isEqualTo(message);
    assertThat(task.getStatus().getErr()).isEqualTo(err);
    assertThat(task.getStatus().getTimestamp()).isEqualTo(at(seconds));
  }
}
