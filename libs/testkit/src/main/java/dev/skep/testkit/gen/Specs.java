package dev.skep.testkit.gen;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.Platform;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.Resources;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.Rows;
import dev.skep.state.Times;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import java.time.Instant;

/** Writes into a cluster what users and nodes would: services, networks, nodes and observed states. */
public final class Specs {
  public static final String INGRESS = "ingress0000000000000000xx";

  private Specs() {}

  public static void cluster(StateBuilder cluster) {
    cluster.put(Rows.cluster(), ClusterRow.newBuilder().setId("cluster").setSubnetSize(24).setEpoch("e1").build());
  }

  public static void node(StateBuilder cluster, String id) {
    node(cluster, id, NodeSpec.getDefaultInstance());
    nodeStatus(cluster, id, "ready");
  }

  public static void node(StateBuilder cluster, String id, NodeSpec spec) {
    NodeSpec filled = spec.toBuilder().setRole(spec.getRole().isEmpty() ? "worker" : spec.getRole()).build();
    cluster.put(Rows.NODE_SPEC.key(id), NodeSpecRow.newBuilder().setId(id).setSpec(filled).build());
  }

  public static void nodeStatus(StateBuilder cluster, String id, String state) {
    NodeStatusRow before = cluster.state().value(Rows.NODE_STATUS.key(id));
    NodeDescription description =
        NodeDescription.newBuilder()
            .setHostname("host-" + id)
            .setPlatform(Platform.newBuilder().setArchitecture("x86_64").setOs("linux"))
            .setResources(Resources.newBuilder().setNanoCpus(4_000_000_000L).setMemoryBytes(8L << 30))
            .build();
    NodeStatusRow.Builder row = before == null ? NodeStatusRow.newBuilder().setNodeId(id).setDescription(description) : before.toBuilder();
    cluster.put(Rows.NODE_STATUS.key(id), row.setState(state).build());
  }

  public static void network(StateBuilder cluster, String id, String name) {
    cluster.put(Rows.NETWORK.key(id), NetworkRow.newBuilder().setId(id).setName(name).setIngress(name.equals("ingress")).build());
  }

  public static ServiceMode replicated(long replicas) {
    ServiceMode.Builder mode = ServiceMode.newBuilder();
    mode.getReplicatedBuilder().setReplicas(replicas);
    return mode.build();
  }

  public static ServiceMode global() {
    ServiceMode.Builder mode = ServiceMode.newBuilder();
    mode.getGlobalBuilder();
    return mode.build();
  }

  /** An endpoint that publishes one port through ingress. */
  public static EndpointSpec publishing(int target, int published) {
    return EndpointSpec.newBuilder()
        .setMode("vip")
        .addPorts(PortConfig.newBuilder().setProtocol("tcp").setTargetPort(target).setPublishedPort(published).setPublishMode("ingress"))
        .build();
  }

  public static TaskSpec task(String image, String... networks) {
    TaskSpec.Builder task = TaskSpec.newBuilder();
    task.getContainerSpecBuilder().setImage(image);
    for (String network : networks) {
      task.addNetworksBuilder().setTarget(network);
    }
    return task.build();
  }

  /** Creates a service, or posts its next version: generation and template number grow as control-api lets them. */
  public static void service(StateBuilder cluster, String id, ServiceMode mode, TaskSpec task, EndpointSpec endpoint) {
    ServiceRow before = cluster.state().value(Rows.SERVICE.key(id));
    TemplateRow last = before == null ? null : cluster.state().value(Rows.template(id, before.getCurrent().getTemplate()));
    long template = last == null ? 1 : last.getNumber();
    if (last == null || !last.getTask().equals(task) || !last.getEndpoint().equals(endpoint)) {
      template = last == null ? 1 : template + 1;
      TemplateRow row = TemplateRow.newBuilder().setServiceId(id).setNumber(template).setTask(task).setEndpoint(endpoint).build();
      cluster.put(Rows.template(id, template), row);
    }
    ServiceRequest request = ServiceRequest.newBuilder().setName("svc-" + id).setMode(mode).setTemplate(template).build();
    ServiceRow.Builder row = ServiceRow.newBuilder().setId(id).setGeneration(before == null ? 1 : before.getGeneration() + 1);
    cluster.put(Rows.SERVICE.key(id), row.setCurrent(request).build());
  }

  /** Removes a service as the API does: its templates stay for the tasks that still name them. */
  public static void removeService(StateBuilder cluster, String id) {
    cluster.delete(Rows.SERVICE.key(id));
  }

  /** What a node says about a task. */
  public static void status(StateBuilder cluster, String taskId, TaskState state, Instant now) {
    var placement = cluster.state().value(Rows.PLACEMENT.key(taskId));
    TaskStatusRow.Builder row =
        TaskStatusRow.newBuilder().setTaskId(taskId).setNodeId(placement == null ? "" : placement.getNodeId()).setState(state);
    cluster.put(Rows.STATUS.key(taskId), row.setTimestamp(Times.of(now)).setAppliedAt(Times.of(now)).build());
  }
}
