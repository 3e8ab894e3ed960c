package dev.skep.dispatcher.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.TaskSpec;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.PeerEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.state.ChangeSet;
import dev.skep.state.Rows;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What nodes are told, field by field. */
class ContentTest {
  private Walk walk;

  @BeforeEach
  void cluster() {
    walk = new Walk(1, 1, 1, 1, 1);
    LivenessTest.node(walk, "n1");
    LivenessTest.runs(walk, "t", "s1", "n1");
    walk.put(Rows.INTENT.key("t"), intent(1).build());
    TaskSpec.Builder task = TaskSpec.newBuilder();
    task.getContainerSpecBuilder().setImage("old").getDnsConfigBuilder().addNameservers("9.9.9.9");
    task.addNetworks(NetworkAttachmentConfig.newBuilder().setTarget("net").addAliases("db"));
    EndpointSpec ports =
        EndpointSpec.newBuilder()
            .addPorts(PortConfig.newBuilder().setPublishMode("host").setTargetPort(1))
            .addPorts(PortConfig.newBuilder().setPublishMode("ingress").setTargetPort(2))
            .build();
    walk.put(Rows.template("s1", 1), TemplateRow.newBuilder().setServiceId("s1").setNumber(1).setTask(task).setEndpoint(ports).build());
    task.getContainerSpecBuilder().setImage("new");
    walk.put(Rows.template("s1", 2), TemplateRow.newBuilder().setServiceId("s1").setNumber(2).setTask(task).setEndpoint(ports).build());
    ServiceRequest request =
        ServiceRequest.newBuilder().setName("web").setTemplate(2).putLabels("skep.fencing", "stop").putLabels("mine", "x").build();
    walk.put(Rows.SERVICE.key("s1"), ServiceRow.newBuilder().setId("s1").setCurrent(request).build());
    walk.put(
        Rows.NETWORK.key("net"),
        NetworkRow.newBuilder().setId("net").setName("back").putOptions("com.docker.network.driver.mtu", "1400").build());
    walk.put(Rows.POOL.key("net"), NetworkPoolRow.newBuilder().setNetworkId("net").setSubnet("10.0.1.0/24").setVni(4097).build());
    walk.put(Rows.GATEWAY.key("n1", "net"), NodeGatewayRow.newBuilder().setNodeId("n1").setNetworkId("net").setAddress("10.0.1.1").build());
  }

  private static TaskIntentRow.Builder intent(long template) {
    return TaskIntentRow.newBuilder()
        .setId("t").setServiceId("s1").setServiceName("web").setSlot(3).setTemplate(template).setDesired(TaskState.TASK_RUNNING);
  }

  private AssignmentSet set() {
    return Assignments.of(walk.state(), "n1", Withdrawals.NONE);
  }

  @Test
  void aTaskRunsItsOwnTemplateAndNotTheNewest() {
    TaskAssignment task = set().tasks().get("t");
    assertThat(task.getSpec().getContainerSpec().getImage()).isEqualTo("old");
    assertThat(task.getServiceName()).isEqualTo("web");
    assertThat(task.getServiceLabelsMap()).containsEntry("mine", "x");
    assertThat(task.getHostPortsList()).extracting(PortConfig::getTargetPort).containsExactly(1);
    assertThat(task.getAttachments(0).getAddress()).isEqualTo("10.0.1.5/24");
    assertThat(task.getAttachments(0).getAliasesList()).containsExactly("db");
    assertThat(task.getGlobal()).isFalse();
    assertThat(Assignments.complete(walk.state(), set()).getPutTasks(0).getLastStatus().getState()).isEqualTo(TaskState.TASK_RUNNING);
    NetworkAssignment network = set().networks().get("net");
    assertThat(network.getMtu()).isEqualTo(1400);
    assertThat(network.getDataPathPort()).as("the cluster's").isEqualTo(4799);
    assertThat(network.getGateway()).isEqualTo("10.0.1.1");
    walk.apply(ChangeSet.about("s1").delete(Rows.template("s1", 1)).build());
    assertThat(set().tasks().get("t").hasSpec()).isFalse();
  }

  @Test
  void aNetworkLeavesWithItsLastUse() {
    walk.put(Rows.STATUS.key("t"), TaskStatusRow.newBuilder().setState(TaskState.TASK_FAILED).build());
    assertThat(set().networks()).as("history, and the network stands").containsKey("net");
    walk.apply(ChangeSet.about("net").delete(Rows.NETWORK.key("net")).build());
    assertThat(set().networks()).as("history of a network that was removed").isEmpty();
    walk.put(Rows.STATUS.key("t"), TaskStatusRow.newBuilder().setState(TaskState.TASK_RUNNING).build());
    assertThat(set().networks()).as("a live task").containsKey("net");
    walk.apply(ChangeSet.about("t").delete(Rows.INTENT.key("t")).build());
    assertThat(set().networks()).isEmpty();
    walk.put(Rows.NETWORK.key("net"), NetworkRow.newBuilder().setId("net").setIngress(true).build());
    assertThat(set().networks()).as("the ingress network is everywhere").containsKey("net");
  }

  @Test
  void aServiceEntry() {
    ServiceEndpointRow endpoint =
        ServiceEndpointRow.newBuilder()
            .addVirtualIps(EndpointVirtualIP.newBuilder().setNetworkId("ingress").setAddr("10.0.0.5/16"))
            .addVirtualIps(EndpointVirtualIP.newBuilder().setNetworkId("net").setAddr("10.0.1.2/24"))
            .addPorts(PortConfig.newBuilder().setPublishedPort(30_000).setTargetPort(2))
            .build();
    walk.put(Rows.ENDPOINT.key("s1"), endpoint);
    ServiceEntry entry = FeedView.entry(walk.state(), "service/s1").getService();
    assertThat(entry.getName()).isEqualTo("web");
    assertThat(entry.getResolution()).isEqualTo("vip");
    assertThat(entry.getLabelsMap()).containsOnlyKeys("skep.fencing");
    assertThat(entry.getPortsList()).isEqualTo(endpoint.getPortsList());
    assertThat(entry.getNetworks(0).getNetworkId()).isEqualTo("net");
    assertThat(entry.getNetworks(0).getVip()).isEqualTo("10.0.1.2");
    assertThat(entry.getNetworks(0).getAliasesList()).containsExactly("db");
    assertThat(entry.getNetworks(1).getVip()).isEqualTo("10.0.0.5");
  }

  @Test
  void anEndpointEntry() {
    EndpointEntry entry = FeedView.entry(walk.state(), "endpoint/t").getEndpoint();
    assertThat(entry.getName()).isEqualTo("web.3.t");
    assertThat(entry.getServing()).isTrue();
    assertThat(entry.getAddresses(0).getAddress()).isEqualTo("10.0.1.5");
    assertThat(entry.getAddresses(0).getMac()).isEqualTo("02:42:0a:00:01:05");
    assertThat(entry.getDnsServersList()).containsExactly("9.9.9.9");
    walk.put(Rows.INTENT.key("t"), intent(1).setSlot(0).setNodeId("n1").build());
    assertThat(FeedView.entry(walk.state(), "endpoint/t").getEndpoint().getName()).isEqualTo("web.n1.t");
    walk.put(Rows.INTENT.key("t"), intent(1).setDesired(TaskState.TASK_READY).build());
    assertThat(FeedView.entry(walk.state(), "endpoint/t").getEndpoint().getServing()).isFalse();
    walk.put(Rows.STATUS.key("t"), TaskStatusRow.newBuilder().setState(TaskState.TASK_COMPLETE).build());
    assertThat(FeedView.entry(walk.state(), "endpoint/t")).isNull();
  }

  @Test
  void aPeerEntry() {
    NodeStatusRow.Builder status =
        NodeStatusRow.newBuilder()
            .setNodeId("n1")
            .setState("ready")
            .setAddr("192.0.2.1")
            .setDescription(NodeDescription.newBuilder().setHostname("h"));
    walk.put(Rows.NODE_STATUS.key("n1"), status.build());
    PeerEntry peer = FeedView.entry(walk.state(), "peer/n1").getPeer();
    assertThat(peer.getHostname()).isEqualTo("h");
    assertThat(peer.getDataPathAddr()).isEqualTo("192.0.2.1");
    assertThat(peer.getGatewaysMap()).containsEntry("net", "10.0.1.1");
    walk.put(Rows.NODE_STATUS.key("n1"), status.setDataPathAddr("198.51.100.1").build());
    assertThat(FeedView.entry(walk.state(), "peer/n1").getPeer().getDataPathAddr()).isEqualTo("198.51.100.1");
  }
}
