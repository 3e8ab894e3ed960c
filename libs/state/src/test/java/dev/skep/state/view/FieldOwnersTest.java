package dev.skep.state.view;

import static dev.skep.state.view.Cluster.NETWORK;
import static dev.skep.state.view.Cluster.NODE;
import static dev.skep.state.view.Cluster.SERVICE;
import static dev.skep.state.view.Cluster.TASK;
import static dev.skep.state.view.Fixture.at;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import dev.skep.api.v1.UpdateConfig;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.Origin;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.RootRotation;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The table of field owners: which row each field of an API object comes from. Every field has to be in it, and has to
 * change when that row alone changes.
 */
class FieldOwnersTest {
  private static final Map<String, Function<ClusterState, Message>> VIEWS =
      Map.of(
          "Service", state -> ServiceView.allWithStatus(state).getFirst(),
          "Task", state -> TaskView.of(state, TASK).orElseThrow(),
          "Node", state -> NodeView.of(state, NODE).orElseThrow(),
          "Network", state -> NetworkView.of(state, NETWORK).orElseThrow(),
          "Swarm", state -> SwarmView.of(state).orElseThrow(),
          "SwarmInfo", state -> SwarmView.info(state, NODE));

  /** A field, or a message taken over whole, and a change of its row. */
  private record Owned(String path, Key<?> row, Consumer<Fixture> change) {}

  private static final List<Owned> OWNERS = new ArrayList<>();

  /** Fields that no row decides, with the reason. */
  private static final Map<String, String> FIXED =
      Map.ofEntries(
          Map.entry("Service.id", "the key of SERVICE"),
          Map.entry("Service.spec.networks", "deprecated; a request's are moved to the task template"),
          Map.entry("Service.service_status.completed_tasks", "jobs only"),
          Map.entry("Service.job_status", "jobs only"),
          Map.entry("Task.id", "the key of INTENT"),
          Map.entry("Task.name", "the engine leaves it empty"),
          Map.entry("Task.labels", "the engine leaves them empty"),
          Map.entry("Task.generic_resources", "generic resources are not built"),
          Map.entry("Task.job_iteration", "jobs only"),
          Map.entry("Task.networks_attachments.network.spec.ipv6_enabled", "IPv6 is not built"),
          Map.entry("Task.networks_attachments.network.spec.scope", "always swarm"),
          Map.entry("Task.networks_attachments.network.driver_state.name", "always overlay"),
          Map.entry("Task.networks_attachments.network.ipam_options.driver", "always default"),
          Map.entry("Node.id", "the key of NODE_SPEC"),
          Map.entry("Network.id", "the key of NETWORK"),
          Map.entry("Network.scope", "always swarm"),
          Map.entry("Network.driver", "always overlay"),
          Map.entry("Network.enable_ipv6", "IPv6 is not built"),
          Map.entry("Network.config_from", "networks of the engine only"),
          Map.entry("Network.config_only", "networks of the engine only"),
          Map.entry("Network.containers", "known to each engine, not to the cluster"),
          Map.entry("Network.peers", "known to each engine, not to the cluster"),
          Map.entry("Network.services", "filled in by the API for verbose=true"),
          Map.entry("Swarm.join_tokens", "sealed; passed in by the reader"),
          Map.entry("SwarmInfo.node_id", "passed in by the reader"),
          Map.entry("SwarmInfo.local_node_state", "active as soon as there is a cluster"),
          Map.entry("SwarmInfo.control_available", "only managers compute it"),
          Map.entry("SwarmInfo.warnings", "nothing to warn of"));

  static {
    service();
    task();
    attachment();
    node();
    network();
    swarm();
  }

  private static <T extends Message> void owned(String path, Key<T> row, UnaryOperator<T> change) {
    OWNERS.add(new Owned(path, row, fixture -> fixture.change(row, change)));
  }

  /** The version counts this row's revisions. */
  private static <T extends Message> void counted(String path, Key<T> row) {
    owned(path, row, value -> value);
  }

  private static void service() {
    Key<ServiceRow> service = Rows.SERVICE.key(SERVICE);
    Key<TemplateRow> template = Rows.template(SERVICE, 2);
    Key<RolloutRow> rollout = Rows.ROLLOUT.key(SERVICE);
    Key<ServiceEndpointRow> endpoint = Rows.ENDPOINT.key(SERVICE);
    counted("Service.version", service);
    counted("Service.version", template);
    counted("Service.version", rollout);
    counted("Service.version", endpoint);
    owned("Service.created_at", service, row -> row.toBuilder().setCreatedAt(at(99)).build());
    owned("Service.updated_at", service, row -> row.toBuilder().setUpdatedAt(at(99)).build());
    owned("Service.spec.name", service, row -> with(row, request -> request.setName("other")));
    owned("Service.spec.labels", service, row -> with(row, request -> request.putLabels("new", "1")));
    owned("Service.spec.mode", service, row -> with(row, request -> request.getModeBuilder().getReplicatedBuilder().setReplicas(9)));
    owned("Service.spec.update_config", service,
        row -> with(row, request -> request.setUpdateConfig(UpdateConfig.newBuilder().setDelay(1))));
    owned("Service.spec.rollback_config", service,
        row -> with(row, request -> request.setRollbackConfig(UpdateConfig.newBuilder().setDelay(1))));
    owned("Service.spec.task_template", template, FieldOwnersTest::otherImage);
    owned("Service.spec.task_template", service, row -> with(row, request -> request.setTemplate(1)));
    owned("Service.spec.task_template", rollout, row -> row.toBuilder().setFallbackTemplate(1).build());
    owned("Service.spec.endpoint_spec", template, row -> row.toBuilder().clearEndpoint().build());
    owned("Service.previous_spec", service, row -> row.toBuilder().setPrevious(row.getPrevious().toBuilder().setName("before")).build());
    owned("Service.previous_spec", Rows.template(SERVICE, 1), FieldOwnersTest::otherImage);
    owned("Service.previous_spec", rollout, row -> row.toBuilder().setFallbackTemplate(1).build());
    owned("Service.endpoint.spec", template, row -> row.toBuilder().clearEndpoint().build());
    owned("Service.endpoint.ports", endpoint, row -> row.toBuilder().clearPorts().build());
    owned("Service.endpoint.virtual_ips", endpoint, row -> row.toBuilder().clearVirtualIps().build());
    owned("Service.update_status", service, row -> row.toBuilder().setGeneration(3).build());
    owned("Service.update_status.state", rollout, row -> row.toBuilder().setState("paused").build());
    owned("Service.update_status.started_at", rollout, row -> row.toBuilder().setStartedAt(at(99)).build());
    owned("Service.update_status.completed_at", rollout, row -> row.toBuilder().clearCompletedAt().build());
    owned("Service.update_status.message", rollout, row -> row.toBuilder().setMessage("other").build());
    owned("Service.service_status.running_tasks", Rows.STATUS.key(TASK), row -> row.toBuilder().setState(TaskState.TASK_FAILED).build());
    owned("Service.service_status.running_tasks", Rows.NODE_STATUS.key(NODE), row -> row.toBuilder().setState("down").build());
    owned("Service.service_status.desired_tasks", service,
        row -> with(row, request -> request.getModeBuilder().getReplicatedBuilder().setReplicas(9)));
  }

  private static ServiceRow with(ServiceRow row, Consumer<ServiceRequest.Builder> change) {
    ServiceRow.Builder builder = row.toBuilder();
    change.accept(builder.getCurrentBuilder());
    return builder.build();
  }

  private static TemplateRow otherImage(TemplateRow row) {
    TemplateRow.Builder builder = row.toBuilder();
    builder.getTaskBuilder().getContainerSpecBuilder().setImage("other");
    return builder.build();
  }

  private static void task() {
    Key<TaskIntentRow> intent = Rows.INTENT.key(TASK);
    Key<TaskAddressRow> address = Rows.ADDRESS.key(TASK);
    Key<PlacementRow> placement = Rows.PLACEMENT.key(TASK);
    Key<TaskStatusRow> status = Rows.STATUS.key(TASK);
    counted("Task.version", intent);
    counted("Task.version", address);
    counted("Task.version", placement);
    counted("Task.version", status);
    owned("Task.created_at", intent, row -> row.toBuilder().setCreatedAt(at(99)).build());
    owned("Task.updated_at", intent, row -> row.toBuilder().setUpdatedAt(at(99)).build());
    owned("Task.updated_at", address, row -> row.toBuilder().setTimestamp(at(99)).build());
    owned("Task.updated_at", placement, row -> row.toBuilder().setTimestamp(at(99)).build());
    owned("Task.updated_at", status, row -> row.toBuilder().setAppliedAt(at(99)).build());
    owned("Task.spec", Rows.template(SERVICE, 2), FieldOwnersTest::otherImage);
    owned("Task.spec", intent, row -> row.toBuilder().setTemplate(1).build());
    OWNERS.add(new Owned("Task.service_id", intent, FieldOwnersTest::moved));
    owned("Task.slot", intent, row -> row.toBuilder().setSlot(2).build());
    owned("Task.node_id", placement, row -> row.toBuilder().setNodeId("node2").build());
    owned("Task.status.timestamp", status, row -> row.toBuilder().setTimestamp(at(99)).build());
    owned("Task.status.state", status, row -> row.toBuilder().setState(TaskState.TASK_COMPLETE).build());
    owned("Task.status.state", intent, row -> row.toBuilder().setRejected("no").build());
    owned("Task.status.message", status, row -> row.toBuilder().setMessage("other").build());
    owned("Task.status.err", status, row -> row.toBuilder().setErr("broken").build());
    owned("Task.status.err", intent, row -> row.toBuilder().setRejected("no").build());
    owned("Task.status.container_status", status, row -> row.toBuilder().clearContainer().build());
    owned("Task.status.port_status", status, row -> row.toBuilder().clearHostPorts().build());
    owned("Task.desired_state", intent, row -> row.toBuilder().setDesired(TaskState.TASK_SHUTDOWN).build());
    owned("Task.networks_attachments", address, row -> row.toBuilder().clearAddresses().build());
    owned("Task.networks_attachments.addresses", address, row -> row.toBuilder()
        .setAddresses(0, row.getAddresses(0).toBuilder().setAddress("10.0.1.9/24")).build());
  }

  /** To another service, which has to be there for its tasks to be shown. */
  private static void moved(Fixture fixture) {
    fixture.put(Rows.template("svc2", 2), fixture.state().value(Rows.template(SERVICE, 2)));
    fixture.put(Rows.SERVICE.key("svc2"), fixture.state().value(Rows.SERVICE.key(SERVICE)).toBuilder().setId("svc2").build());
    fixture.change(Rows.INTENT.key(TASK), row -> row.toBuilder().setServiceId("svc2").build());
  }

  private static void attachment() {
    Key<NetworkRow> network = Rows.NETWORK.key(NETWORK);
    Key<NetworkPoolRow> pool = Rows.POOL.key(NETWORK);
    Key<NodeGatewayRow> gateway = Rows.GATEWAY.key(NODE, NETWORK);
    String path = "Task.networks_attachments.network.";
    owned(path + "id", Rows.ADDRESS.key(TASK), row -> row.toBuilder().setAddresses(0, row.getAddresses(0).toBuilder().setNetworkId("net2"))
        .build());
    counted(path + "version", network);
    counted(path + "version", pool);
    owned(path + "created_at", network, row -> row.toBuilder().setCreatedAt(at(99)).build());
    owned(path + "updated_at", network, row -> row.toBuilder().setUpdatedAt(at(99)).build());
    owned(path + "spec.name", network, row -> row.toBuilder().setName("other").build());
    owned(path + "spec.labels", network, row -> row.toBuilder().clearLabels().build());
    owned(path + "spec.driver_configuration", network, row -> row.toBuilder().clearOptions().build());
    owned(path + "spec.internal", network, row -> row.toBuilder().setInternal(true).build());
    owned(path + "spec.attachable", network, row -> row.toBuilder().setAttachable(true).build());
    owned(path + "spec.ingress", network, row -> row.toBuilder().setIngress(true).build());
    owned(path + "spec.ipam_options", network, row -> row.toBuilder().clearPools().build());
    owned(path + "driver_state.options", network, row -> row.toBuilder().clearOptions().build());
    owned(path + "driver_state.options", pool, row -> row.toBuilder().setVni(5000).build());
    owned(path + "ipam_options.configs.subnet", pool, row -> row.toBuilder().setSubnet("10.9.0.0/24").build());
    owned(path + "ipam_options.configs.range", network, row -> row.toBuilder().clearPools().build());
    owned(path + "ipam_options.configs.gateway", gateway, row -> row.toBuilder().setAddress("10.0.1.254/24").build());
  }

  private static void node() {
    Key<NodeSpecRow> spec = Rows.NODE_SPEC.key(NODE);
    Key<NodeStatusRow> status = Rows.NODE_STATUS.key(NODE);
    counted("Node.version", spec);
    counted("Node.version", status);
    owned("Node.created_at", spec, row -> row.toBuilder().setCreatedAt(at(99)).build());
    owned("Node.updated_at", spec, row -> row.toBuilder().setUpdatedAt(at(99)).build());
    owned("Node.updated_at", status, row -> row.toBuilder().setUpdatedAt(at(99)).build());
    owned("Node.spec", spec, row -> row.toBuilder().setSpec(row.getSpec().toBuilder().setAvailability("drain")).build());
    owned("Node.description", status, row -> row.toBuilder().setDescription(row.getDescription().toBuilder().setHostname("other")).build());
    owned("Node.status.state", status, row -> row.toBuilder().setState("down").build());
    owned("Node.status.message", status, row -> row.toBuilder().setMessage("other").build());
    owned("Node.status.addr", status, row -> row.toBuilder().setAddr("192.0.2.2").build());
    owned("Node.manager_status", spec, row -> row.toBuilder().setSpec(row.getSpec().toBuilder().setRole("worker")).build());
    OWNERS.add(new Owned(
        "Node.manager_status.leader", Rows.LEADER.key("orchestrator"), fixture -> fixture.delete(Rows.LEADER.key("orchestrator"))));
    OWNERS.add(
        new Owned(
            "Node.manager_status.reachability",
            status,
            fixture -> fixture.delete(Rows.LEADER.key("orchestrator")).change(status, row -> row.toBuilder().setState("down").build())));
    OWNERS.add(new Owned(
        "Node.manager_status.reachability",
        Rows.PEER.key("d"),
        fixture -> fixture.delete(Rows.LEADER.key("orchestrator")).put(Rows.PEER.key("d"), DispatcherRow.newBuilder().setNodeId("other").build())));
    owned("Node.manager_status.addr", status, row -> row.toBuilder().setAddr("192.0.2.2").build());
  }

  private static void network() {
    Key<NetworkRow> network = Rows.NETWORK.key(NETWORK);
    Key<NetworkPoolRow> pool = Rows.POOL.key(NETWORK);
    owned("Network.name", network, row -> row.toBuilder().setName("other").build());
    owned("Network.created", network, row -> row.toBuilder().setCreatedAt(at(99)).build());
    owned("Network.ipam.driver", network, row -> row.toBuilder().setIpamDriver("other").build());
    owned("Network.ipam.options", network, row -> row.toBuilder().clearIpamOptions().build());
    owned("Network.ipam.config.subnet", pool, row -> row.toBuilder().setSubnet("10.9.0.0/24").build());
    owned("Network.ipam.config.ip_range", network, row -> row.toBuilder().clearPools().build());
    owned("Network.ipam.config.gateway", Rows.GATEWAY.key(NODE, NETWORK), row -> row.toBuilder().setAddress("10.0.1.254/24").build());
    owned("Network.ipam.config.auxiliary_addresses", network, row -> row.toBuilder()
        .setPools(0, row.getPools(0).toBuilder().putAuxiliaryAddresses("a", "10.0.1.7")).build());
    owned("Network.internal", network, row -> row.toBuilder().setInternal(true).build());
    owned("Network.attachable", network, row -> row.toBuilder().setAttachable(true).build());
    owned("Network.ingress", network, row -> row.toBuilder().setIngress(true).build());
    owned("Network.options", network, row -> row.toBuilder().clearOptions().build());
    owned("Network.options", pool, row -> row.toBuilder().setVni(5000).build());
    owned("Network.labels", network, row -> row.toBuilder().clearLabels().build());
  }

  private static void swarm() {
    Key<ClusterRow> cluster = Rows.cluster();
    owned("Swarm.id", cluster, row -> row.toBuilder().setId("other").build());
    counted("Swarm.version", cluster);
    owned("Swarm.created_at", cluster, row -> row.toBuilder().setCreatedAt(at(99)).build());
    owned("Swarm.updated_at", cluster, row -> row.toBuilder().setUpdatedAt(at(99)).build());
    owned("Swarm.spec", cluster, row -> row.toBuilder().setSpec(row.getSpec().toBuilder().putLabels("a", "b")).build());
    owned("Swarm.tls_info.trust_root", cluster, row -> row.toBuilder().setTrustRootPem("other").build());
    owned("Swarm.tls_info.cert_issuer_subject", cluster, row -> row.toBuilder().setCertIssuerSubject(ByteString.EMPTY).build());
    owned("Swarm.tls_info.cert_issuer_public_key", cluster, row -> row.toBuilder().setCertIssuerPublicKey(ByteString.EMPTY).build());
    owned("Swarm.root_rotation_in_progress", cluster, row -> row.toBuilder().setRootRotation(RootRotation.getDefaultInstance()).build());
    owned("Swarm.default_addr_pool", cluster, row -> row.toBuilder().clearDefaultAddrPool().build());
    owned("Swarm.subnet_size", cluster, row -> row.toBuilder().setSubnetSize(26).build());
    owned("Swarm.data_path_port", cluster, row -> row.toBuilder().setDataPathPort(4790).build());
    owned("SwarmInfo.error", cluster, row -> row.toBuilder().setOrigin(Origin.newBuilder().setUnconfirmed(true)).build());
    owned("SwarmInfo.cluster", cluster, row -> row.toBuilder().setId("other").build());
    owned("SwarmInfo.node_addr", Rows.NODE_STATUS.key(NODE), row -> row.toBuilder().setAddr("192.0.2.2").build());
    owned("SwarmInfo.remote_managers", Rows.NODE_STATUS.key(NODE), row -> row.toBuilder().setAddr("192.0.2.2").build());
    owned("SwarmInfo.managers", Rows.NODE_SPEC.key(NODE), row -> row.toBuilder().setSpec(row.getSpec().toBuilder().setRole("worker"))
        .build());
    OWNERS.add(new Owned(
        "SwarmInfo.nodes", Rows.NODE_SPEC.key("node2"),
        fixture -> fixture.put(Rows.NODE_SPEC.key("node2"), NodeSpecRow.newBuilder().setId("node2").build())));
  }

  @TestFactory
  List<DynamicTest> everyFieldChangesWithItsRow() {
    List<DynamicTest> tests = new ArrayList<>();
    for (Owned owned : OWNERS) {
      tests.add(
          DynamicTest.dynamicTest(
              owned.path() + " <- " + owned.row(),
              () -> {
                Function<ClusterState, Message> view = VIEWS.get(owned.path().substring(0, owned.path().indexOf('.')));
                Fixture before = Cluster.complete();
                Fixture after = before.copy();
                owned.change().accept(after);
                assertThat(field(view.apply(after.state()), owned.path())).isNotEqualTo(field(view.apply(before.state()), owned.path()));
              }));
    }
    return tests;
  }

  @Test
  void everyFieldHasAnOwner() {
    List<String> ownerless = new ArrayList<>();
    Fixture fixture = Cluster.complete();
    VIEWS.forEach((name, view) -> collect(name, view.apply(fixture.state()).getDescriptorForType(), ownerless));
    assertThat(ownerless).isEmpty();
  }

  private static void collect(String path, Descriptor type, List<String> ownerless) {
    for (FieldDescriptor field : type.getFields()) {
      String name = path + "." + field.getName();
      boolean within = OWNERS.stream().anyMatch(owned -> owned.path().startsWith(name + ".")) || FIXED.keySet().stream()
          .anyMatch(fixed -> fixed.startsWith(name + "."));
      if (within) {
        collect(name, field.getMessageType(), ownerless);
      } else if (!FIXED.containsKey(name) && OWNERS.stream().noneMatch(owned -> owned.path().equals(name))) {
        ownerless.add(name);
      }
    }
  }

  /** The field's value; of lists on the way the first element. Null when something on the way is not there. */
  private static Object field(Message message, String path) {
    Object value = message;
    String[] names = path.split("\\.");
    for (int i = 1; i < names.length; i++) {
      if (value instanceof List<?> list) {
        value = list.isEmpty() ? null : list.getFirst();
      }
      if (!(value instanceof Message parent)) {
        return null;
      }
      FieldDescriptor field = parent.getDescriptorForType().findFieldByName(names[i]);
      assertThat(field).as(path).isNotNull();
      value = !field.hasPresence() || parent.hasField(field) ? parent.getField(field) : null;
    }
    return value;
  }
}
