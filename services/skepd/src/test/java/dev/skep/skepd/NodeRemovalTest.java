package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.allocator.Allocator;
import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.ReplicatedService;
import dev.skep.api.v1.Resources;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.Task;
import dev.skep.api.v1.TaskSpec;
import dev.skep.control.v1.ControlGrpc;
import dev.skep.control.v1.CreateRequest;
import dev.skep.control.v1.Kind;
import dev.skep.control.v1.RemoveRequest;
import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.dispatcher.DispatcherComponent;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.orchestrator.Orchestrator;
import dev.skep.scheduler.Scheduler;
import dev.skep.state.ClusterState;
import dev.skep.state.Parents;
import dev.skep.state.Row;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.view.TaskView;
import dev.skep.testkit.TestHost;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code docker node rm --force} with all control services: what becomes of the node's rows and of its tasks. */
class NodeRemovalTest {
  private static final int REPLICAS = 4;

  @TempDir Path folder;

  private TestHost start() {
    ControlApi api =
        new ControlApi(
            ControlApiConfig.defaults()
                .withApi(List.of("unix://" + folder.resolve("api.sock")))
                .withEngine(folder.resolve("no-engine.sock"))
                .withNodeWait(Duration.ofMillis(1)));
    TestHost host =
        TestHost.start(
            new Orchestrator(), new Allocator(), new Scheduler(), new DispatcherComponent(DispatcherConfig.defaults()), api);
    api.ensureCluster();
    ClusterRow.Builder cluster = host.view().state().value(Rows.cluster()).toBuilder();
    cluster.getSpecBuilder().getDispatcherBuilder().setHeartbeatPeriod(Duration.ofHours(1).toNanos());
    host.put(Rows.cluster(), cluster.build());
    return host;
  }

  /** As the node's agent reports it. Nobody beats for it: the cluster's patience is long. */
  private static void ready(TestHost host, String node) {
    host.put(
        Rows.NODE_STATUS.key(node),
        NodeStatusRow.newBuilder()
            .setNodeId(node)
            .setState("ready")
            .setDescription(
                NodeDescription.newBuilder().setHostname(node).setResources(Resources.newBuilder().setNanoCpus(1L).setMemoryBytes(1L)))
            .addRoutes("192.168.88.0/24")
            .build());
  }

  private static <T extends com.google.protobuf.Message> long about(ClusterState state, RowKind<T> kind, String node) {
    long count = 0;
    for (Row<T> row : state.rows(kind)) {
      count += row.key().path().contains(node) ? 1 : 0;
    }
    return count;
  }

  private static List<Task> tasks(ClusterState state, String node, String desired) {
    return TaskView.all(state).stream().filter(task -> task.getNodeId().equals(node) && task.getDesiredState().equals(desired)).toList();
  }

  @Test
  void itsRowsGoAndItsTasksRunElsewhere() {
    try (TestHost host = start()) {
      String manager = host.membership().current().orElseThrow().nodeId();
      String worker = "worker00000000000000000001";
      ready(host, manager);
      host.put(
          Rows.NODE_SPEC.key(worker),
          NodeSpecRow.newBuilder().setId(worker).setSpec(NodeSpec.newBuilder().setRole("worker").setAvailability("active")).build());
      ready(host, worker);
      host.put(Rows.SESSION.key(worker), SessionRow.newBuilder().setNodeId(worker).setSessionId("s").setDispatcher("another").build());
      ControlGrpc.ControlBlockingStub control = ControlGrpc.newBlockingStub(host.channel("control-api"));
      control.create(
          CreateRequest.newBuilder().setNetwork(NetworkCreateRequest.newBuilder().setName("back").setDriver("overlay")).build());
      control.create(CreateRequest.newBuilder().setService(service()).build());
      ClusterState placed =
          host.await("tasks on both nodes", state -> tasks(state, worker, "running").size() == REPLICAS / 2 && about(state, Rows.GATEWAY, worker) > 0);
      String running = tasks(placed, worker, "running").getFirst().getId();
      host.put(
          Rows.STATUS.key(running),
          TaskStatusRow.newBuilder().setTaskId(running).setNodeId(worker).setState(TaskState.TASK_RUNNING).build());

      control.remove(RemoveRequest.newBuilder().setKind(Kind.NODE).setReference(worker).setForce(true).build());

      ClusterState state =
          host.await(
              "replacements on the manager, and no row of the node",
              now ->
                  tasks(now, manager, "running").size() == REPLICAS
                      && about(now, Rows.NODE_STATUS, worker) + about(now, Rows.SESSION, worker) + about(now, Rows.GATEWAY, worker) == 0
                      && Parents.orphans(now).isEmpty());
      assertThat(TaskView.of(state, running)).as("nobody will ever hear of it again, so it is forgotten").isEmpty();
      for (Row<NodeGatewayRow> gateway : state.rows(Rows.GATEWAY)) {
        assertThat(gateway.value().getNodeId()).isEqualTo(manager);
      }
    }
  }

  private static ServiceSpec service() {
    return ServiceSpec.newBuilder()
        .setName("web")
        .setMode(ServiceMode.newBuilder().setReplicated(ReplicatedService.newBuilder().setReplicas(REPLICAS)))
        .setTaskTemplate(
            TaskSpec.newBuilder()
                .setContainerSpec(ContainerSpec.newBuilder().setImage("busybox"))
                .addNetworks(NetworkAttachmentConfig.newBuilder().setTarget("back")))
        .build();
  }
}
