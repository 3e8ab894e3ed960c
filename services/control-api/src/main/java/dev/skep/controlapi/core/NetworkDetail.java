package dev.skep.controlapi.core;

import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.Network;
import dev.skep.api.v1.NetworkServiceInfo;
import dev.skep.api.v1.NetworkServiceTask;
import dev.skep.api.v1.PortConfig;
import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskState;

/** What {@code docker network inspect --verbose} shows more: the services of a network and where their tasks answer. */
public final class NetworkDetail {
  private NetworkDetail() {}

  public static Network verbose(ClusterState state, Network network) {
    Network.Builder detailed = network.toBuilder();
    for (Row<ServiceRow> row : state.rows(Rows.SERVICE)) {
      NetworkServiceInfo info = info(state, row.value().getId(), network.getId());
      if (info.getTasksCount() > 0 || !info.getVip().isEmpty()) {
        detailed.putServices(row.value().getCurrent().getName(), info);
      }
    }
    return detailed.build();
  }

  private static NetworkServiceInfo info(ClusterState state, String serviceId, String networkId) {
    NetworkServiceInfo.Builder info = NetworkServiceInfo.newBuilder();
    ServiceEndpointRow endpoint = state.value(Rows.ENDPOINT.key(serviceId));
    if (endpoint != null) {
      for (EndpointVirtualIP vip : endpoint.getVirtualIpsList()) {
        if (vip.getNetworkId().equals(networkId)) {
          info.setVip(bare(vip.getAddr()));
        }
      }
      for (PortConfig port : endpoint.getPortsList()) {
        info.addPorts("Target: " + port.getTargetPort() + ", Publish: " + port.getPublishedPort());
      }
    }
    for (TaskRecord task : TaskRecord.ofService(state, serviceId)) {
      if (task.addressed() && task.observed() == TaskState.TASK_RUNNING) {
        for (TaskAddress address : task.addressRow().value().getAddressesList()) {
          if (address.getNetworkId().equals(networkId)) {
            info.addTasks(task(state, task, address));
          }
        }
      }
    }
    return info.build();
  }

  private static NetworkServiceTask task(ClusterState state, TaskRecord task, TaskAddress address) {
    NodeRecord node = NodeRecord.find(state, task.nodeId());
    return NetworkServiceTask.newBuilder()
        .setName(References.taskName(state, task.intent()) + "." + task.id())
        .setEndpointId(task.id())
        .setEndpointIp(bare(address.getAddress()))
        .putInfo("Host IP", node == null ? "" : node.status().getAddr())
        .build();
  }

  private static String bare(String cidr) {
    int slash = cidr.indexOf('/');
    return slash < 0 ? cidr : cidr.substring(0, slash);
  }
}
