package dev.skep.dispatcher.shell;

import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TemplateRow;
import dev.skep.testkit.TestHost;

/** Writes rows as the other services would. */
record Cluster(TestHost host) {
  static final String NETWORK = "net";
  static final String SERVICE = "web";

  Cluster init(String... nodes) {
    host.put(Rows.cluster(), ClusterRow.newBuilder().setId("c").setEpoch("epoch").build());
    for (String node : nodes) {
      host.put(Rows.NODE_SPEC.key(node), NodeSpecRow.newBuilder().setId(node).build());
      host.put(
          Rows.GATEWAY.key(node, NETWORK),
          NodeGatewayRow.newBuilder().setNodeId(node).setNetworkId(NETWORK).setAddress("10.0.1.1").build());
    }
    host.put(Rows.NETWORK.key(NETWORK), NetworkRow.newBuilder().setId(NETWORK).setName("backend").build());
    host.put(Rows.POOL.key(NETWORK), NetworkPoolRow.newBuilder().setNetworkId(NETWORK).setSubnet("10.0.1.0/24").setVni(4097).build());
    host.put(Rows.template(SERVICE, 1), TemplateRow.newBuilder().setServiceId(SERVICE).setNumber(1).build());
    host.put(
        Rows.SERVICE.key(SERVICE),
        ServiceRow.newBuilder().setId(SERVICE).setCurrent(ServiceRequest.newBuilder().setName(SERVICE).setTemplate(1)).build());
    return this;
  }

  void desire(String task, TaskState desired) {
    host.put(
        Rows.INTENT.key(task),
        TaskIntentRow.newBuilder()
            .setId(task)
            .setServiceId(SERVICE)
            .setServiceName(SERVICE)
            .setSlot(1)
            .setTemplate(1)
            .setDesired(desired)
            .build());
  }

  void place(String task, String node) {
    desire(task, TaskState.TASK_RUNNING);
    host.put(
        Rows.ADDRESS.key(task),
        TaskAddressRow.newBuilder()
            .setTaskId(task)
            .addAddresses(TaskAddress.newBuilder().setNetworkId(NETWORK).setAddress("10.0.1.7/24"))
            .build());
    host.put(Rows.PLACEMENT.key(task), PlacementRow.newBuilder().setTaskId(task).setNodeId(node).build());
  }
}
