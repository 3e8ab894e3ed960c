package dev.skep.allocator.core;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.IPAMPool;
import dev.skep.api.v1.PortConfig;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.gen.Bench;
import dev.skep.testkit.gen.Specs;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Networks, services and tasks in a small cluster; after each move of the test the allocator settles. What it gave is
 * shown as text: an address, a subnet, a port, or the reason why there is none.
 */
final class Scene {
  private final Bench bench = new Bench(new AllocatorDecider());

  private Scene() {
    Specs.cluster(bench.cluster());
  }

  /** Nodes whose routes are in nobody's way. */
  static Scene on(String... nodes) {
    Scene scene = new Scene();
    for (String node : nodes) {
      Specs.node(scene.bench.cluster(), node);
    }
    return scene.settle();
  }

  Bench bench() {
    return bench;
  }

  Scene settle() {
    bench.settle();
    return this;
  }

  // ---- the cluster and its nodes ----

  Scene pools(int subnetSize, String... pools) {
    ClusterRow row = bench.state().value(Rows.cluster());
    bench.cluster().put(Rows.cluster(), row.toBuilder().setSubnetSize(subnetSize).addAllDefaultAddrPool(List.of(pools)).build());
    return settle();
  }

  Scene nodeJoins(String node) {
    Specs.node(bench.cluster(), node);
    return settle();
  }

  Scene nodeRemoved(String node) {
    bench.cluster().delete(Rows.NODE_STATUS.key(node)).delete(Rows.NODE_SPEC.key(node));
    return settle();
  }

  Scene routes(String node, String... routes) {
    return reporting(node, row -> row.clearRoutes().addAllRoutes(List.of(routes)));
  }

  /** The overlays whose bridges stand on the node. */
  Scene bridges(String node, String... networks) {
    return reporting(node, row -> row.clearNetworkIds().addAllNetworkIds(List.of(networks)));
  }

  private Scene reporting(String node, Consumer<NodeStatusRow.Builder> change) {
    NodeStatusRow.Builder row = bench.state().value(Rows.NODE_STATUS.key(node)).toBuilder();
    change.accept(row);
    bench.cluster().put(Rows.NODE_STATUS.key(node), row.build());
    return settle();
  }

  // ---- networks ----

  Scene network(String id) {
    return network(id, network -> { });
  }

  Scene network(String id, String subnet) {
    return network(id, network -> network.addPools(IPAMPool.newBuilder().setSubnet(subnet)));
  }

  Scene network(String id, Consumer<NetworkRow.Builder> asks) {
    NetworkRow.Builder row = NetworkRow.newBuilder().setId(id).setName(id);
    asks.accept(row);
    bench.cluster().put(Rows.NETWORK.key(id), row.build());
    return settle();
  }

  Scene ingress() {
    return network(Specs.INGRESS, network -> network.setName("ingress").setIngress(true));
  }

  Scene networkRemoved(String id) {
    bench.cluster().delete(Rows.NETWORK.key(id));
    return settle();
  }

  // ---- services and tasks ----

  Scene service(String id, String... networks) {
    return service(id, EndpointSpec.getDefaultInstance(), networks);
  }

  Scene service(String id, EndpointSpec endpoint, String... networks) {
    Specs.service(bench.cluster(), id, Specs.replicated(1), Specs.task("image:1", networks), endpoint);
    return settle();
  }

  static EndpointSpec mode(String mode) {
    return EndpointSpec.newBuilder().setMode(mode).build();
  }

  /** Ports as {@code 80:8080}, target and published; 0 leaves the number open. */
  static EndpointSpec publishing(String... ports) {
    EndpointSpec.Builder endpoint = EndpointSpec.newBuilder().setMode("vip");
    for (String port : ports) {
      String[] parts = port.split(":");
      endpoint.addPorts(
          PortConfig.newBuilder().setProtocol("tcp").setPublishMode("ingress")
              .setTargetPort(Integer.parseInt(parts[0])).setPublishedPort(Integer.parseInt(parts[1])));
    }
    return endpoint.build();
  }

  /** A port that the API has noted for a service which asked for this very number. */
  Scene named(String protocol, int port, String service) {
    bench.cluster().put(Rows.NAME.key("port", protocol, Integer.toString(port)), NameRow.newBuilder().setId(service).build());
    return settle();
  }

  Scene removed(String service) {
    Specs.removeService(bench.cluster(), service);
    return settle();
  }

  /** As the API does when nothing names it any more. */
  Scene templateRemoved(String service) {
    bench.cluster().delete(Rows.template(service, 1));
    return settle();
  }

  /** {@code web.1} is the task of slot 1 of service web. */
  Scene task(String... tasks) {
    for (String task : tasks) {
      String service = task.substring(0, task.indexOf('.'));
      TaskIntentRow.Builder intent = TaskIntentRow.newBuilder().setId(task).setServiceId(service).setDesired(TaskState.TASK_RUNNING);
      intent.setSlot(Long.parseLong(task.substring(task.indexOf('.') + 1)));
      intent.setTemplate(bench.state().value(Rows.SERVICE.key(service)).getCurrent().getTemplate());
      bench.cluster().put(Rows.INTENT.key(task), intent.build());
    }
    return settle();
  }

  Scene tasks(String service, int from, int to) {
    return task(IntStream.rangeClosed(from, to).mapToObj(slot -> service + "." + slot).toArray(String[]::new));
  }

  Scene placed(String task, String node) {
    bench.cluster().put(Rows.PLACEMENT.key(task), PlacementRow.newBuilder().setTaskId(task).setNodeId(node).build());
    return settle();
  }

  Scene reports(String task, TaskState state) {
    Specs.status(bench.cluster(), task, state, bench.now());
    return settle();
  }

  Scene wants(String task, TaskState desired) {
    TaskIntentRow intent = bench.state().value(Rows.INTENT.key(task));
    bench.cluster().put(Rows.INTENT.key(task), intent.toBuilder().setDesired(desired).build());
    return settle();
  }

  /** Intent, placement and status go, each by its owner. */
  Scene forgotten(String... tasks) {
    for (String task : tasks) {
      bench.cluster().delete(Rows.INTENT.key(task)).delete(Rows.STATUS.key(task)).delete(Rows.PLACEMENT.key(task));
    }
    return settle();
  }

  // ---- what came of it ----

  String subnet(String network) {
    NetworkPoolRow row = bench.state().value(Rows.POOL.key(network));
    return row == null ? "none" : row.getSubnet() + row.getError();
  }

  int number(String network) {
    return bench.state().value(Rows.POOL.key(network)).getVni();
  }

  String gateway(String node, String network) {
    NodeGatewayRow row = bench.state().value(Rows.GATEWAY.key(node, network));
    return row == null ? "none" : row.getAddress() + row.getError();
  }

  String address(String task) {
    TaskAddressRow row = bench.state().value(Rows.ADDRESS.key(task));
    if (row == null) {
      return "none";
    }
    return row.getAddressesList().stream().map(TaskAddress::getAddress).collect(Collectors.joining(" ")) + row.getError();
  }

  List<String> addresses(String service) {
    return IntStream.rangeClosed(1, 1000)
        .mapToObj(slot -> Rows.ADDRESS.key(service + "." + slot))
        .filter(bench.state()::has)
        .map(key -> address(key.lastPart()))
        .toList();
  }

  List<String> virtualIps(String service) {
    return endpoint(service).getVirtualIpsList().stream().map(EndpointVirtualIP::getAddr).toList();
  }

  List<Integer> ports(String service) {
    return endpoint(service).getPortsList().stream().map(PortConfig::getPublishedPort).toList();
  }

  String error(String service) {
    return endpoint(service).getError();
  }

  ServiceEndpointRow endpoint(String service) {
    return bench.state().value(Rows.ENDPOINT.key(service));
  }

  boolean has(String service) {
    return endpoint(service) != null;
  }
}
