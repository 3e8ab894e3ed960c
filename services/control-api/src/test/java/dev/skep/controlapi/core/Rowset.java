package dev.skep.controlapi.core;

import com.google.protobuf.Message;
import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.ReplicatedService;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TemplateRow;
import java.util.List;

/** A state put together row by row. */
final class Rowset {
  private ClusterState state = ClusterState.empty();

  ClusterState state() {
    return state;
  }

  <T extends Message> Rowset put(Key<T> key, T value) {
    long revision = state.revision() + 1;
    state = state.apply(revision, List.of(new ClusterState.Stored(key.path(), value.toByteArray(), revision, revision))).state();
    return this;
  }

  Rowset network(String id, String name, boolean ingress) {
    return put(Rows.NETWORK.key(id), NetworkRow.newBuilder().setId(id).setName(name).setIngress(ingress).build());
  }

  Rowset service(String id, String name, EndpointSpec endpoint) {
    return put(
            Rows.template(id, 1),
            TemplateRow.newBuilder()
                .setServiceId(id).setNumber(1).setEndpoint(endpoint)
                .setTask(TaskSpec.newBuilder().setContainerSpec(ContainerSpec.newBuilder().setImage("busybox"))).build())
        .put(
            Rows.SERVICE.key(id),
            ServiceRow.newBuilder()
                .setId(id).setGeneration(1)
                .setCurrent(
                    ServiceRequest.newBuilder()
                        .setName(name).setTemplate(1).putLabels("stack", name)
                        .setMode(ServiceMode.newBuilder().setReplicated(ReplicatedService.newBuilder().setReplicas(1))))
                .build());
  }

  Rowset task(String id, String serviceId, long slot, long template) {
    return put(
        Rows.INTENT.key(id),
        TaskIntentRow.newBuilder().setId(id).setServiceId(serviceId).setSlot(slot).setTemplate(template).setDesired(TaskState.TASK_RUNNING)
            .build());
  }

  Rowset node(String id, String hostname, String role) {
    return put(Rows.NODE_SPEC.key(id), NodeSpecRow.newBuilder().setId(id)
        .setSpec(NodeSpec.newBuilder().setRole(role).putLabels("zone", hostname)).build())
        .put(Rows.NODE_STATUS.key(id), NodeStatusRow.newBuilder().setNodeId(id)
            .setDescription(NodeDescription.newBuilder().setHostname(hostname)).build());
  }
}
