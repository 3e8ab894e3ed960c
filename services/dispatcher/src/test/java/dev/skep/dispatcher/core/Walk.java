package dev.skep.dispatcher.core;

import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.Write;
import dev.skep.state.v1.ClusterRow;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A seeded walk through states of a cluster: each step changes a few rows the way one of the services might. */
final class Walk {
  private static final List<TaskState> DESIRED =
      List.of(TaskState.TASK_READY, TaskState.TASK_RUNNING, TaskState.TASK_RUNNING, TaskState.TASK_SHUTDOWN, TaskState.TASK_REMOVE);
  private static final List<TaskState> OBSERVED =
      List.of(TaskState.TASK_ACCEPTED, TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_RUNNING, TaskState.TASK_RUNNING,
          TaskState.TASK_COMPLETE, TaskState.TASK_FAILED);

  private final Random random;
  private final int nodes;
  private final int services;
  private final int tasks;
  private final int networks;
  private ClusterState state = ClusterState.empty();

  Walk(long seed, int nodes, int services, int tasks, int networks) {
    this.random = new Random(seed);
    this.nodes = nodes;
    this.services = services;
    this.tasks = tasks;
    this.networks = networks;
    put(Rows.cluster(), ClusterRow.newBuilder().setId("c").setEpoch("epoch").setDataPathPort(4799).build());
  }

  ClusterState state() {
    return state;
  }

  Random random() {
    return random;
  }

  ClusterState.Step put(Key<?> key, Message value) {
    return apply(List.of(stored(key, value)));
  }

  ClusterState.Step apply(ChangeSet changes) {
    List<ClusterState.Stored> stored = new ArrayList<>();
    for (Write write : changes.writes()) {
      stored.add(
          switch (write) {
            case Write.Put<?> put -> stored(put.key(), put.value());
            case Write.Delete delete -> stored(delete.key(), null);
          });
    }
    return apply(stored);
  }

  private ClusterState.Step apply(List<ClusterState.Stored> stored) {
    ClusterState.Step step = state.apply(state.revision() + 1, stored);
    state = step.state();
    return step;
  }

  /** One revision with one to four changed rows. */
  ClusterState.Step step() {
    List<ClusterState.Stored> changes = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      for (ClusterState.Stored change : change()) {
        if (!keys.contains(change.path())) {
          keys.add(change.path());
          changes.add(change);
        }
      }
    }
    return apply(changes);
  }

  String node() {
    return "n" + random.nextInt(nodes);
  }

  private List<ClusterState.Stored> change() {
    String task = "t" + random.nextInt(tasks);
    String service = "s" + Integer.parseInt(task.substring(1)) % services;
    String network = "net" + random.nextInt(networks);
    String node = node();
    return switch (random.nextInt(16)) {
      case 0, 1 -> service(service);
      case 2 -> gone(Rows.SERVICE, service, 3);
      case 3, 4 -> List.of(stored(Rows.INTENT.key(task), intent(task, service)));
      case 5 -> gone(Rows.INTENT, task, 3);
      case 6 -> List.of(stored(Rows.ADDRESS.key(task), address(task)));
      case 7 -> rarely(3, stored(Rows.ADDRESS.key(task), null), stored(Rows.ADDRESS.key(task), address(task)));
      case 8, 9 -> rarely(6, stored(Rows.PLACEMENT.key(task), null), stored(Rows.PLACEMENT.key(task), placement(task)));
      case 10, 11, 12 -> rarely(9, stored(Rows.STATUS.key(task), null), stored(Rows.STATUS.key(task), status(task)));
      case 13 -> node(node);
      case 14 -> network(network);
      default ->
          rarely(4, stored(Rows.GATEWAY.key(node, network), null), stored(Rows.GATEWAY.key(node, network), gateway(node, network)));
    };
  }

  private List<ClusterState.Stored> rarely(int oneIn, ClusterState.Stored rare, ClusterState.Stored usual) {
    return List.of(random.nextInt(oneIn) == 0 ? rare : usual);
  }

  private List<ClusterState.Stored> gone(RowKind<?> kind, String id, int oneIn) {
    return random.nextInt(oneIn) == 0 ? List.of(stored(kind.key(id), null)) : List.of();
  }

  private List<ClusterState.Stored> service(String id) {
    long template = 1 + random.nextInt(3);
    TemplateRow row = template(id, template);
    ServiceRequest request =
        ServiceRequest.newBuilder().setName(id).setTemplate(template).putLabels("skep.x", "" + random.nextInt(3)).build();
    List<ClusterState.Stored> changes = new ArrayList<>();
    changes.add(stored(Rows.template(id, template), row));
    changes.add(stored(Rows.SERVICE.key(id), ServiceRow.newBuilder().setId(id).setGeneration(1).setCurrent(request).build()));
    if (random.nextBoolean()) {
      ServiceEndpointRow endpoint =
          ServiceEndpointRow.newBuilder()
              .setServiceId(id)
              .addVirtualIps(EndpointVirtualIP.newBuilder().setNetworkId("net" + random.nextInt(networks)).setAddr("10.0.9.2/24"))
              .addPorts(PortConfig.newBuilder().setPublishedPort(30_000 + random.nextInt(5)))
              .build();
      changes.add(stored(Rows.ENDPOINT.key(id), endpoint));
    }
    if (random.nextInt(3) == 0) {
      RolloutRow rollout = RolloutRow.newBuilder().setServiceId(id).setGeneration(1).setFallbackTemplate(template).build();
      changes.add(stored(Rows.ROLLOUT.key(id), rollout));
    }
    return changes;
  }

  private TemplateRow template(String service, long number) {
    TaskSpec.Builder task = TaskSpec.newBuilder();
    task.getContainerSpecBuilder().setImage("image" + random.nextInt(3)).getDnsConfigBuilder().addNameservers("9.9.9." + random.nextInt(2));
    String network = "net" + random.nextInt(networks);
    task.addNetworks(NetworkAttachmentConfig.newBuilder().setTarget(network).addAliases("alias" + random.nextInt(3)));
    EndpointSpec endpoint =
        EndpointSpec.newBuilder()
            .setMode(random.nextBoolean() ? "vip" : "dnsrr")
            .addPorts(PortConfig.newBuilder().setPublishMode(random.nextBoolean() ? "host" : "ingress").setTargetPort(80))
            .build();
    return TemplateRow.newBuilder().setServiceId(service).setNumber(number).setTask(task).setEndpoint(endpoint).build();
  }

  private TaskIntentRow intent(String id, String service) {
    return TaskIntentRow.newBuilder()
        .setId(id)
        .setServiceId(service)
        .setServiceName(service)
        .setSlot(1 + random.nextInt(3))
        .setTemplate(1 + random.nextInt(3))
        .setDesired(DESIRED.get(random.nextInt(DESIRED.size())))
        .build();
  }

  private TaskAddressRow address(String id) {
    TaskAddressRow.Builder row = TaskAddressRow.newBuilder().setTaskId(id);
    if (random.nextInt(8) == 0) {
      return row.setError("exhausted").build();
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      String address = "10.0." + i + "." + random.nextInt(250) + "/24";
      row.addAddresses(TaskAddress.newBuilder().setNetworkId("net" + random.nextInt(networks)).setAddress(address));
    }
    return row.build();
  }

  private PlacementRow placement(String id) {
    String node = random.nextInt(6) == 0 ? "" : node();
    return PlacementRow.newBuilder().setTaskId(id).setNodeId(node).setTimestamp(Timestamp.newBuilder().setSeconds(1)).build();
  }

  private TaskStatusRow status(String id) {
    return TaskStatusRow.newBuilder().setTaskId(id).setState(OBSERVED.get(random.nextInt(OBSERVED.size()))).build();
  }

  private NodeGatewayRow gateway(String node, String network) {
    return NodeGatewayRow.newBuilder().setNodeId(node).setNetworkId(network).setAddress("10.0.1." + random.nextInt(250)).build();
  }

  private List<ClusterState.Stored> node(String id) {
    if (random.nextInt(10) == 0) {
      return List.of(stored(Rows.NODE_SPEC.key(id), null));
    }
    NodeLife life = NodeLife.values()[random.nextInt(NodeLife.values().length)];
    NodeStatusRow status =
        NodeStatusRow.newBuilder()
            .setNodeId(id)
            .setState(life.state())
            .setAddr("192.0.2." + random.nextInt(3))
            .setDescription(NodeDescription.newBuilder().setHostname(id))
            .build();
    return List.of(stored(Rows.NODE_SPEC.key(id), NodeSpecRow.newBuilder().setId(id).build()), stored(Rows.NODE_STATUS.key(id), status));
  }

  private List<ClusterState.Stored> network(String id) {
    NetworkRow network =
        random.nextInt(5) == 0
            ? null
            : NetworkRow.newBuilder()
                .setId(id)
                .setName(id)
                .setIngress(id.equals("net0"))
                .putOptions("encrypted", "" + random.nextBoolean())
                .build();
    NetworkPoolRow pool =
        random.nextInt(6) == 0
            ? null
            : NetworkPoolRow.newBuilder().setNetworkId(id).setSubnet("10.0.1.0/24").setVni(4097 + random.nextInt(2)).build();
    return List.of(stored(Rows.NETWORK.key(id), network), stored(Rows.POOL.key(id), pool));
  }

  private ClusterState.Stored stored(Key<?> key, Message value) {
    Row<?> before = state.row(key);
    long created = before == null ? state.revision() + 1 : before.createRevision();
    return new ClusterState.Stored(key.path(), value == null ? null : value.toByteArray(), created, state.revision() + 1);
  }
}
