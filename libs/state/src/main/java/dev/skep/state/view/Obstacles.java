package dev.skep.state.view;

import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.PortConfig;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkProblem;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PortProblem;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TemplateRow;

/** The sentence that says why a task does not move or is not reached; empty when nothing is known to be wrong. */
final class Obstacles {
  private Obstacles() {}

  /** Why it has no addresses: the task's own reason, else its service's, else that of one of its networks. */
  static String ofAllocation(ClusterState state, TaskRecord task, TemplateRow template) {
    if (task.addressRow() != null && !task.addressRow().value().getError().isEmpty()) {
      return task.addressRow().value().getError();
    }
    ServiceEndpointRow endpoint = state.value(Rows.ENDPOINT.key(task.intent().getServiceId()));
    if (endpoint != null && !endpoint.getError().isEmpty()) {
      return endpoint.getError();
    }
    for (NetworkAttachmentConfig network : template.getTask().getNetworksList()) {
      NetworkPoolRow pool = state.value(Rows.POOL.key(network.getTarget()));
      if (pool != null && !pool.getError().isEmpty()) {
        return pool.getError();
      }
    }
    return ingressPort(template) ? ingressError(state) : "";
  }

  private static boolean ingressPort(TemplateRow template) {
    return template.getEndpoint().getPortsList().stream().anyMatch(port -> !port.getPublishMode().equals("host"));
  }

  private static String ingressError(ClusterState state) {
    for (Row<NetworkPoolRow> pool : state.rows(Rows.POOL)) {
      if (pool.value().getIngress() && !pool.value().getError().isEmpty()) {
        return pool.value().getError();
      }
    }
    return "";
  }

  /**
   * Why a task that has its node does not get on, or is not reached: the engine is away there, a network is not up, a
   * published port could not be opened.
   */
  static String onTheNode(ClusterState state, TaskRecord task, TemplateRow template) {
    NodeStatusRow node = state.value(Rows.NODE_STATUS.key(task.nodeId()));
    if (node == null) {
      return "";
    }
    if (!node.getEngineProblem().isEmpty()) {
      return node.getEngineProblem();
    }
    String network = network(state, task, node);
    return network.isEmpty() && task.observed() == TaskState.TASK_RUNNING ? port(state, task, template, node) : network;
  }

  private static String network(ClusterState state, TaskRecord task, NodeStatusRow node) {
    if (task.addressRow() == null) {
      return "";
    }
    for (TaskAddress address : task.addressRow().value().getAddressesList()) {
      for (NetworkProblem problem : node.getNetworkProblemsList()) {
        if (address.getNetworkId().equals(problem.getNetworkId())) {
          return problem.getReason();
        }
      }
      NodeGatewayRow gateway = state.value(Rows.GATEWAY.key(task.nodeId(), address.getNetworkId()));
      if (gateway != null && !gateway.getError().isEmpty()) {
        return gateway.getError();
      }
    }
    return "";
  }

  private static String port(ClusterState state, TaskRecord task, TemplateRow template, NodeStatusRow node) {
    ServiceEndpointRow endpoint = state.value(Rows.ENDPOINT.key(task.intent().getServiceId()));
    // Without an endpoint row the ports are those asked for; a dynamic one has no number yet and no problem.
    for (PortConfig port : endpoint == null ? template.getEndpoint().getPortsList() : endpoint.getPortsList()) {
      for (PortProblem problem : node.getPortProblemsList()) {
        boolean same = port.getPublishedPort() == problem.getPort() && port.getProtocol().equals(problem.getProtocol());
        if (same && !port.getPublishMode().equals("host")) {
          return problem.getReason();
        }
      }
    }
    return "";
  }
}
