package dev.skep.testkit.gen;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.EndpointVirtualIP;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.Times;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Clusters by seed: any mixture of services, networks, nodes and tasks, also such as no history would lead to; and
 * disturbances, which change only what other services than the one under test write.
 */
public final class Clusters {
  public static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private static final List<TaskState> DESIRED =
      List.of(TaskState.TASK_READY, TaskState.TASK_RUNNING, TaskState.TASK_RUNNING, TaskState.TASK_RUNNING, TaskState.TASK_SHUTDOWN, TaskState.TASK_REMOVE);
  private static final List<TaskState> OBSERVED =
      List.of(
          TaskState.TASK_PREPARING, TaskState.TASK_READY, TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_RUNNING,
          TaskState.TASK_COMPLETE, TaskState.TASK_SHUTDOWN, TaskState.TASK_FAILED, TaskState.TASK_REJECTED);

  private final StateBuilder cluster = new StateBuilder();
  private final Random random;
  private int nextAddress = 10;

  private Clusters(long seed) {
    this.random = new Random(seed);
  }

  /** Everything that users and nodes write, and of the rest what {@code others} may have written before: tasks at any point. */
  public static StateBuilder generate(long seed) {
    Clusters clusters = new Clusters(seed);
    clusters.asked();
    clusters.tasks();
    return clusters.cluster;
  }

  /** Only what users and nodes write. */
  public static StateBuilder fresh(long seed) {
    Clusters clusters = new Clusters(seed);
    clusters.asked();
    return clusters.cluster;
  }

  private void asked() {
    Specs.cluster(cluster);
    int nodes = 1 + random.nextInt(4);
    for (int i = 0; i < nodes; i++) {
      node(cluster, random, "node" + i);
    }
    Specs.network(cluster, Specs.INGRESS, "ingress");
    for (int i = 0; i < random.nextInt(3); i++) {
      Specs.network(cluster, "net" + i, "net" + i);
    }
    int services = 1 + random.nextInt(3);
    for (int i = 0; i < services; i++) {
      service(cluster, random, "svc" + i);
    }
  }

  private static void node(StateBuilder cluster, Random random, String id) {
    String availability = List.of("active", "active", "active", "pause", "drain").get(random.nextInt(5));
    NodeSpec spec = NodeSpec.newBuilder().setAvailability(availability).putLabels("zone", random.nextBoolean() ? "a" : "b").build();
    Specs.node(cluster, id, spec);
    Specs.nodeStatus(cluster, id, List.of("ready", "ready", "ready", "down", "unknown").get(random.nextInt(5)));
  }

  private static void service(StateBuilder cluster, Random random, String id) {
    ServiceRow before = cluster.state().value(Rows.SERVICE.key(id));
    boolean global = before == null ? random.nextInt(4) == 0 : before.getCurrent().getMode().hasGlobal(); // no service changes its mode
    Specs.service(cluster, id, global ? Specs.global() : Specs.replicated(random.nextInt(6)), task(cluster, random), endpoint(random));
  }

  private static TaskSpec task(StateBuilder cluster, Random random) {
    List<String> networks = new ArrayList<>();
    cluster.state().rows(Rows.NETWORK).forEach(row -> {
      if (!row.value().getIngress() && random.nextBoolean()) {
        networks.add(row.key().lastPart());
      }
    });
    TaskSpec.Builder task = Specs.task("image" + random.nextInt(3), networks.toArray(String[]::new)).toBuilder();
    if (random.nextInt(3) == 0) {
      task.getPlacementBuilder().addConstraints("node.labels.zone==" + (random.nextBoolean() ? "a" : "b"));
    }
    if (random.nextInt(3) == 0) {
      task.getPlacementBuilder().addPreferencesBuilder().getSpreadBuilder().setSpreadDescriptor("node.labels.zone");
    }
    if (random.nextInt(4) == 0) {
      task.getPlacementBuilder().setMaxReplicas(1 + random.nextInt(2));
    }
    if (random.nextInt(3) == 0) {
      task.getResourcesBuilder().getReservationsBuilder().setNanoCpus(1_500_000_000L);
    }
    if (random.nextBoolean()) {
      var policy = task.getRestartPolicyBuilder().setCondition(List.of("any", "none", "on-failure").get(random.nextInt(3)));
      if (random.nextBoolean()) {
        policy.setDelay(Duration.ofSeconds(random.nextInt(4)).toNanos());
      }
      if (random.nextInt(3) == 0) {
        policy.setMaxAttempts(1 + random.nextInt(3));
      }
    }
    return task.build();
  }

  private static EndpointSpec endpoint(Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> Specs.publishing(80, 0);
      case 1 -> Specs.publishing(80, 8000 + random.nextInt(1000));
      case 2 -> EndpointSpec.newBuilder().setMode("dnsrr").build();
      default -> EndpointSpec.getDefaultInstance();
    };
  }

  // ---- what was decided before, in any state of completion ----

  private void tasks() {
    long vni = 4096;
    for (Row<?> network : cluster.state().rows(Rows.NETWORK)) {
      if (random.nextBoolean()) {
        String id = network.key().lastPart();
        NetworkPoolRow.Builder pool = NetworkPoolRow.newBuilder().setNetworkId(id).setSubnet("10." + (vni - 4095) + ".0.0/24").setVni((int) vni++);
        cluster.put(Rows.POOL.key(id), pool.setIngress(id.equals(Specs.INGRESS)).build());
      }
    }
    for (Row<ServiceRow> service : cluster.state().rows(Rows.SERVICE)) {
      endpointOf(service.value());
      int count = random.nextInt(7);
      for (int i = 0; i < count; i++) {
        task(service.value(), "task" + service.key().lastPart() + i);
      }
    }
    if (random.nextInt(3) == 0) {
      intent("gone", 1 + random.nextInt(2), "taskgone", 1);
      place("taskgone");
    }
  }

  private void endpointOf(ServiceRow service) {
    if (random.nextBoolean()) {
      return;
    }
    ServiceEndpointRow.Builder row = ServiceEndpointRow.newBuilder().setServiceId(service.getId()).setTemplate(service.getCurrent().getTemplate());
    for (Row<NetworkPoolRow> pool : cluster.state().rows(Rows.POOL)) {
      row.addVirtualIps(EndpointVirtualIP.newBuilder().setNetworkId(pool.key().lastPart()).setAddr(address(pool.value())));
    }
    cluster.put(Rows.ENDPOINT.key(service.getId()), row.build());
  }

  private String address(NetworkPoolRow pool) {
    return pool.getSubnet().replace(".0/24", "." + nextAddress++ + "/24");
  }

  private void task(ServiceRow service, String taskId) {
    boolean global = service.getCurrent().getMode().hasGlobal();
    intent(service.getId(), 1 + random.nextInt(3), taskId, service.getCurrent().getTemplate());
    if (global) {
      TaskIntentRow intent = cluster.state().value(Rows.INTENT.key(taskId));
      cluster.put(Rows.INTENT.key(taskId), intent.toBuilder().clearSlot().setNodeId(anyNode(cluster.state(), random)).build());
    }
    if (random.nextInt(4) == 0) {
      return;
    }
    TaskAddressRow.Builder addresses = TaskAddressRow.newBuilder().setTaskId(taskId);
    for (Row<NetworkPoolRow> pool : cluster.state().rows(Rows.POOL)) {
      addresses.addAddresses(TaskAddress.newBuilder().setNetworkId(pool.key().lastPart()).setAddress(address(pool.value())));
    }
    cluster.put(Rows.ADDRESS.key(taskId), addresses.build());
    if (random.nextInt(4) == 0) {
      return;
    }
    place(taskId);
  }

  private void intent(String serviceId, long slot, String taskId, long template) {
    TaskIntentRow.Builder row =
        TaskIntentRow.newBuilder().setId(taskId).setServiceId(serviceId).setSlot(slot).setTemplate(template)
            .setDesired(DESIRED.get(random.nextInt(DESIRED.size())))
            .setCreatedAt(Times.of(START.minusSeconds(random.nextInt(100))))
            .setUpdatedAt(Times.of(START.minusSeconds(random.nextInt(100))));
    if (row.getDesired() == TaskState.TASK_READY && random.nextBoolean()) {
      row.setStartAfter(Times.waitFor(Duration.ofSeconds(random.nextInt(6)), cluster.state(), START));
    }
    cluster.put(Rows.INTENT.key(taskId), row.build());
  }

  private void place(String taskId) {
    String given = cluster.state().value(Rows.INTENT.key(taskId)).getNodeId(); // a global task runs nowhere else
    String node = !given.isEmpty() ? given : random.nextInt(8) == 0 ? "nodegone" : anyNode(cluster.state(), random);
    cluster.put(Rows.PLACEMENT.key(taskId), PlacementRow.newBuilder().setTaskId(taskId).setNodeId(node).build());
    if (random.nextInt(4) != 0) {
      Specs.status(cluster, taskId, OBSERVED.get(random.nextInt(OBSERVED.size())), START.minusSeconds(random.nextInt(50)));
    }
  }

  private static String anyNode(ClusterState state, Random random) {
    List<String> nodes = new ArrayList<>();
    state.rows(Rows.NODE_SPEC).forEach(row -> nodes.add(row.key().lastPart()));
    return nodes.isEmpty() ? "nodegone" : nodes.get(random.nextInt(nodes.size()));
  }

  // ---- disturbances ----

  /** What users do: services, nodes and limits come, change and go. */
  public static void users(StateBuilder cluster, Random random, Instant now) {
    switch (random.nextInt(9)) {
      case 0 -> service(cluster, random, newOrPresent(cluster, random));
      case 1 -> scale(cluster, random);
      case 2 -> Specs.removeService(cluster, "svc" + random.nextInt(4));
      case 3 -> node(cluster, random, "node" + random.nextInt(5));
      case 4 -> Specs.nodeStatus(cluster, "node" + random.nextInt(4), random.nextBoolean() ? "ready" : "down");
      case 5 -> removeNode(cluster, "node" + random.nextInt(5));
      case 6 -> limit(cluster, random);
      case 7 -> Specs.network(cluster, "net" + random.nextInt(5), "net" + random.nextInt(5));
      default -> {
        // nothing: time alone goes on
      }
    }
  }

  /** Ids are never used again. */
  private static String newOrPresent(StateBuilder cluster, Random random) {
    String id = "svc" + random.nextInt(4);
    return cluster.state().has(Rows.SERVICE.key(id)) ? id : String.format("svc%08x", random.nextInt());
  }

  private static void scale(StateBuilder cluster, Random random) {
    for (Row<ServiceRow> service : cluster.state().rows(Rows.SERVICE)) {
      if (!service.value().getCurrent().getMode().hasGlobal()) {
        var template = cluster.state().value(Rows.template(service.key().lastPart(), service.value().getCurrent().getTemplate()));
        Specs.service(cluster, service.key().lastPart(), Specs.replicated(random.nextInt(6)), template.getTask(), template.getEndpoint());
        return;
      }
    }
  }

  private static void removeNode(StateBuilder cluster, String id) {
    cluster.delete(Rows.NODE_STATUS.key(id)).delete(Rows.NODE_SPEC.key(id));
  }

  private static void limit(StateBuilder cluster, Random random) {
    ClusterRow.Builder row = cluster.state().value(Rows.cluster()).toBuilder();
    row.getSpecBuilder().getOrchestrationBuilder().setTaskHistoryRetentionLimit(random.nextInt(6));
    cluster.put(Rows.cluster(), row.build());
  }

  /** What nodes do: observed states grow, and routes and bridges come and go. */
  public static void nodes(StateBuilder cluster, Random random, Instant now) {
    List<TaskRecord> placed = new ArrayList<>();
    TaskRecord.forEach(cluster.state(), task -> {
      if (!task.nodeId().isEmpty() && !task.confirmedStopped()) {
        placed.add(task);
      }
    });
    for (TaskRecord task : placed) {
      TaskState next = OBSERVED.get(random.nextInt(OBSERVED.size()));
      if (random.nextInt(3) == 0 && next.getNumber() > task.observed().getNumber()) {
        Specs.status(cluster, task.id(), next, now);
      }
    }
    for (Row<NodeStatusRow> status : cluster.state().rows(Rows.NODE_STATUS)) {
      if (random.nextInt(4) == 0) {
        NodeStatusRow.Builder row = status.value().toBuilder().clearNetworkIds().clearRoutes();
        for (Row<NodeGatewayRow> gateway : cluster.state().rows(Rows.GATEWAY, status.key().lastPart())) {
          if (random.nextBoolean()) {
            row.addNetworkIds(gateway.value().getNetworkId());
          }
        }
        cluster.put(Rows.NODE_STATUS.key(status.key().lastPart()), row.addRoutes("10." + random.nextInt(5) + ".0.0/16").build());
      }
    }
  }

  /** What scheduler and allocator do, so that the orchestrator alone can be tested. */
  public static void placing(StateBuilder cluster, Random random, Instant now) {
    List<String> unplaced = new ArrayList<>();
    TaskRecord.forEach(cluster.state(), task -> {
      if (task.nodeId().isEmpty() && random.nextBoolean()) {
        unplaced.add(task.id());
      }
    });
    for (String taskId : unplaced) {
      TaskIntentRow intent = cluster.state().value(Rows.INTENT.key(taskId));
      String node = intent.getNodeId().isEmpty() ? anyNode(cluster.state(), random) : intent.getNodeId();
      cluster.put(Rows.ADDRESS.key(taskId), TaskAddressRow.newBuilder().setTaskId(taskId).build());
      cluster.put(Rows.PLACEMENT.key(taskId), PlacementRow.newBuilder().setTaskId(taskId).setNodeId(node).build());
    }
  }

  /** What the orchestrator does, so that the others can be tested without it: tasks come, are ordered away, and go. */
  public static void tasks(StateBuilder cluster, Random random, Instant now) {
    for (Row<ServiceRow> service : cluster.state().rows(Rows.SERVICE)) {
      if (random.nextBoolean()) {
        String id = String.format("t%08x", random.nextInt());
        TaskIntentRow.Builder intent =
            TaskIntentRow.newBuilder().setId(id).setServiceId(service.key().lastPart()).setDesired(TaskState.TASK_RUNNING)
                .setTemplate(service.value().getCurrent().getTemplate());
        if (service.value().getCurrent().getMode().hasGlobal()) {
          intent.setNodeId(anyNode(cluster.state(), random));
        } else {
          intent.setSlot(1 + random.nextInt(5));
        }
        cluster.put(Rows.INTENT.key(id), intent.build());
      }
    }
    for (Row<TaskIntentRow> intent : cluster.state().rows(Rows.INTENT)) {
      TaskRecord task = TaskRecord.find(cluster.state(), intent.key().lastPart());
      if (task.confirmedStopped() && random.nextInt(3) == 0 || task.nodeId().isEmpty() && random.nextInt(8) == 0) {
        cluster.delete(intent.key());
      } else if (random.nextInt(5) == 0) {
        cluster.put(intent.key(), intent.value().toBuilder().setDesired(DESIRED.get(3 + random.nextInt(3))).build());
      }
    }
  }
}
