package dev.skep.state.view;

import static dev.skep.state.view.Fixture.at;

import com.google.protobuf.ByteString;
import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.ContainerStatus;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.EngineDescription;
import dev.skep.api.v1.IPAMPool;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.ReplicatedService;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;

/** One manager, one network, one service that was updated once, one running task: every row that a view reads. */
final class Cluster {
  static final String NODE = "node1";
  static final String NETWORK = "net1";
  static final String SERVICE = "svc1";
  static final String TASK = "task1";

  private Cluster() {}

  static Fixture complete() {
    return taskRows(serviceRows(clusterRows(new Fixture())));
  }

  static Fixture clusterRows(Fixture fixture) {
    return fixture
        .put(
            Rows.cluster(),
            ClusterRow.newBuilder()
                .setId("cluster1").setCreatedAt(at(1)).setUpdatedAt(at(2)).setSpec(SwarmSpec.newBuilder().setName("default"))
                .addDefaultAddrPool("10.0.0.0/8").setSubnetSize(24).setDataPathPort(4789)
                .setTrustRootPem("pem").setCertIssuerSubject(ByteString.copyFromUtf8("s"))
                    .setCertIssuerPublicKey(ByteString.copyFromUtf8("k")).build())
        .put(
            Rows.NODE_SPEC.key(NODE),
            NodeSpecRow.newBuilder()
                .setId(NODE).setCreatedAt(at(3)).setUpdatedAt(at(4))
                    .setSpec(NodeSpec.newBuilder().setRole("manager").setAvailability("active")).build())
        .put(
            Rows.NODE_STATUS.key(NODE),
            NodeStatusRow.newBuilder()
                .setNodeId(NODE).setState("ready").setMessage("m").setAddr("192.0.2.1").setUpdatedAt(at(5))
                .setDescription(
                    NodeDescription.newBuilder().setHostname("host1").setEngine(EngineDescription.newBuilder().setEngineVersion("20.10")))
                    .build())
        .put(Rows.LEADER.key("orchestrator"), LeaderRow.newBuilder().setHolder("h").setAddress("in-process").build())
        .put(
            Rows.NETWORK.key(NETWORK),
            NetworkRow.newBuilder()
                .setId(NETWORK).setCreatedAt(at(6)).setUpdatedAt(at(7)).setName("front").putLabels("team", "x").putOptions("o", "1")
                .setIpamDriver("default").putIpamOptions("i", "1").addPools(IPAMPool.newBuilder().setIpRange("10.0.1.128/25")).build())
        .put(Rows.POOL.key(NETWORK), NetworkPoolRow.newBuilder().setNetworkId(NETWORK).setSubnet("10.0.1.0/24").setVni(4097).build())
        .put(
            Rows.GATEWAY.key(NODE, NETWORK),
            NodeGatewayRow.newBuilder().setNodeId(NODE).setNetworkId(NETWORK).setAddress("10.0.1.1/24").build());
  }

  static PortConfig port(int published) {
    return PortConfig.newBuilder().setProtocol("tcp").setTargetPort(80).setPublishedPort(published).setPublishMode("ingress").build();
  }

  private static ServiceRequest request(long replicas, long template) {
    return ServiceRequest.newBuilder()
        .setName("web").putLabels("tier", "1").setTemplate(template)
        .setMode(ServiceMode.newBuilder().setReplicated(ReplicatedService.newBuilder().setReplicas(replicas))).build();
  }

  private static TemplateRow template(long number, String image) {
    return TemplateRow.newBuilder()
        .setServiceId(SERVICE).setNumber(number)
        .setTask(TaskSpec.newBuilder().setContainerSpec(ContainerSpec.newBuilder().setImage(image))
            .addNetworks(NetworkAttachmentConfig.newBuilder().setTarget(NETWORK)))
        .setEndpoint(EndpointSpec.newBuilder().setMode("vip").addPorts(port(0))).build();
  }

  static Fixture serviceRows(Fixture fixture) {
    return fixture
        .put(Rows.template(SERVICE, 1), template(1, "busybox:1"))
        .put(Rows.template(SERVICE, 2), template(2, "busybox:2"))
        .put(
            Rows.SERVICE.key(SERVICE),
            ServiceRow.newBuilder()
                .setId(SERVICE).setCreatedAt(at(10)).setUpdatedAt(at(11)).setGeneration(2).setCurrent(request(1, 2))
                    .setPrevious(request(1, 1)).build())
        .put(
            Rows.ROLLOUT.key(SERVICE),
            RolloutRow.newBuilder()
                .setServiceId(SERVICE).setGeneration(2).setState("completed").setStartedAt(at(12)).setCompletedAt(at(13))
                    .setMessage("update completed").build())
        .put(
            Rows.ENDPOINT.key(SERVICE),
            ServiceEndpointRow.newBuilder()
                .setServiceId(SERVICE).setTemplate(2).addPorts(port(30000))
                .addVirtualIps(EndpointVirtualIP.newBuilder().setNetworkId(NETWORK).setAddr("10.0.1.2/24")).build());
  }

  static Fixture taskRows(Fixture fixture) {
    return fixture
        .put(
            Rows.INTENT.key(TASK),
            TaskIntentRow.newBuilder()
                .setId(TASK).setServiceId(SERVICE).setSlot(1).setTemplate(2).setDesired(TaskState.TASK_RUNNING).setCreatedAt(at(20))
                    .setUpdatedAt(at(21))
                .setServiceName("web").build())
        .put(
            Rows.ADDRESS.key(TASK),
            TaskAddressRow.newBuilder().setTaskId(TASK).setTimestamp(at(22))
                .addAddresses(TaskAddress.newBuilder().setNetworkId(NETWORK).setAddress("10.0.1.3/24")).build())
        .put(Rows.PLACEMENT.key(TASK), PlacementRow.newBuilder().setTaskId(TASK).setNodeId(NODE).setTimestamp(at(23)).build())
        .put(
            Rows.STATUS.key(TASK),
            TaskStatusRow.newBuilder()
                .setTaskId(TASK).setNodeId(NODE).setState(TaskState.TASK_RUNNING).setTimestamp(at(24)).setAppliedAt(at(25))
                    .setMessage("started")
                .setContainer(ContainerStatus.newBuilder().setContainerId("c1").setPid(7)).addHostPorts(port(8080)).build());
  }
}
