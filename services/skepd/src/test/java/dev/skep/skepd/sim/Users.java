package dev.skep.skepd.sim;

import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.GlobalService;
import dev.skep.api.v1.HealthConfig;
import dev.skep.api.v1.NetworkAttachmentConfig;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.Placement;
import dev.skep.api.v1.PortConfig;
import dev.skep.api.v1.ReplicatedService;
import dev.skep.api.v1.ResourceRequirements;
import dev.skep.api.v1.Resources;
import dev.skep.api.v1.RestartPolicy;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.TaskSpec;
import dev.skep.api.v1.UpdateConfig;
import dev.skep.backend.Store.Outcome;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.IdSource;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.RefRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.ServiceRequest;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TemplateRow;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Users and the control-api between them and the store: what they ask for at random, written the way control-api writes it. */
final class Users {
  private static final int MOST_SERVICES = 5;
  private static final int MOST_NETWORKS = 3;
  private static final int NAMES = 7;
  private static final int SERVICES_LEFT = 3;
  private static final int REPLICAS_LEFT = 2;
  /** All of them can be met when the day is over: the first machine is the manager's, and gets the label. */
  private static final List<String> CONSTRAINTS =
      List.of("node.hostname==host1", "node.role==manager", "node.labels.zone==a", "node.labels.zone!=b", "node.hostname!=host2");
  private static final int KEPT_TEMPLATES = 10;
  private static final long DELAY = 700_000_000L;
  private static final long GRACE = 300_000_000L;

  private final SimCluster cluster;
  private final RandomGenerator random;
  private final IdSource ids;

  Users(SimCluster cluster) {
    this.cluster = cluster;
    this.random = cluster.world().split();
    this.ids = new IdSource(new SplittableRandom(random.nextLong()));
  }

  private ClusterState state() {
    return cluster.apiState();
  }

  /** One request, of whatever kind. */
  void ask() {
    List<Row<ServiceRow>> services = all(state().rows(Rows.SERVICE));
    List<Row<NetworkRow>> networks = new ArrayList<>();
    state().rows(Rows.NETWORK).forEach(row -> {
      if (!row.value().getIngress()) {
        networks.add(row);
      }
    });
    int dice = random.nextInt(20);
    if (services.isEmpty() || dice < 4 && services.size() < MOST_SERVICES) {
      createService(networks);
    } else if (dice < 6 && networks.size() < MOST_NETWORKS) {
      createNetwork();
    } else if (dice < 8) {
      removeNetwork(networks);
    } else if (dice < 11) {
      removeService(pick(services));
    } else if (dice < 16) {
      scale(pick(services), random.nextInt(6));
    } else if (dice < 19) {
      update(pick(services), networks);
    } else {
      availability(pick(all(state().rows(Rows.NODE_SPEC))), random.nextInt(3));
    }
  }

  private static <T> List<T> all(Iterable<T> rows) {
    List<T> list = new ArrayList<>();
    rows.forEach(list::add);
    return list;
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private void commit(String what, ChangeSet.Builder change, Key<?> made) {
    SimProcess process = cluster.apiProcess();
    process.note("a user wants: " + what);
    cluster.store().submit(process, "api", Transactions.of(List.of(change.build())), outcome -> answered(what, outcome, made));
  }

  private void answered(String what, Optional<Outcome> outcome, Key<?> made) {
    if (outcome.isPresent() && outcome.get() instanceof Outcome.Committed committed) {
      cluster.world().note("users", "are told that it is done: " + what);
      if (made != null && !cluster.store().at(committed.revision()).state().has(made)) {
        throw new Violation("acknowledged and not there: " + what);
      }
    }
  }

  // ---- services ----

  private void createService(List<Row<NetworkRow>> networks) {
    String id = ids.next();
    String name = "s" + random.nextInt(NAMES);
    TemplateRow template = TemplateRow.newBuilder().setServiceId(id).setNumber(1).setTask(task(networks)).setEndpoint(endpoint()).build();
    if (template.getEndpoint().getPortsList().stream().anyMatch(this::inUse)) {
      return;
    }
    ServiceRequest request = ServiceRequest.newBuilder().setName(name).setMode(mode()).setUpdateConfig(updates()).setTemplate(1).build();
    Key<NameRow> nameKey = Rows.NAME.key("service", name);
    ChangeSet.Builder change = ChangeSet.about(id);
    if (cluster.mutant() != Mutant.NAME_TAKEN_TWICE) {
      change.absent(nameKey);
    }
    change
        .put(nameKey, NameRow.newBuilder().setId(id).build())
        .put(Rows.SERVICE.key(id), ServiceRow.newBuilder().setId(id).setGeneration(1).setCurrent(request).build())
        .put(Rows.template(id, 1), template);
    for (PortConfig port : template.getEndpoint().getPortsList()) {
      if (port.getPublishedPort() != 0) {
        Key<NameRow> key = portKey(port);
        change.absent(key).put(key, NameRow.newBuilder().setId(id).build());
      }
    }
    uses(change, template);
    commit("create service " + name + " " + id, change, Rows.SERVICE.key(id));
  }

  private boolean inUse(PortConfig port) {
    for (Row<ServiceEndpointRow> row : state().rows(Rows.ENDPOINT)) {
      if (row.value().getPortsList().stream().anyMatch(other -> Law.samePort(port, other))) {
        return true;
      }
    }
    return false;
  }

  private static Key<NameRow> portKey(PortConfig port) {
    return Rows.NAME.key("port", port.getProtocol(), Integer.toString(port.getPublishedPort()));
  }

  /** Whoever starts to use a network touches its reference, so that a removal at the same moment conflicts. */
  private void uses(ChangeSet.Builder change, TemplateRow template) {
    for (NetworkAttachmentConfig network : template.getTask().getNetworksList()) {
      Key<RefRow> key = Rows.REF.key("network", network.getTarget());
      Row<RefRow> ref = state().row(key);
      change.present(Rows.NETWORK.key(network.getTarget()));
      if (ref == null) {
        change.absent(key).put(key, RefRow.newBuilder().setCount(1).build());
      } else {
        change.unmodified(ref).put(key, RefRow.newBuilder().setCount(ref.value().getCount() + 1).build());
      }
    }
  }

  private ServiceMode mode() {
    return random.nextInt(5) == 0
        ? ServiceMode.newBuilder().setGlobal(GlobalService.getDefaultInstance()).build()
        : replicas(random.nextInt(5));
  }

  private static ServiceMode replicas(long count) {
    return ServiceMode.newBuilder().setReplicated(ReplicatedService.newBuilder().setReplicas(count)).build();
  }

  private UpdateConfig updates() {
    return UpdateConfig.newBuilder()
        .setParallelism(random.nextInt(3))
        .setMonitor(500_000_000L)
        .setFailureAction(random.nextBoolean() ? "continue" : "pause")
        .setMaxFailureRatio(random.nextInt(2))
        .setOrder(random.nextInt(4) == 0 ? "start-first" : "stop-first")
        .build();
  }

  private TaskSpec task(List<Row<NetworkRow>> networks) {
    String image = random.nextInt(10) == 0 ? SimEngine.MISSING : "image" + random.nextInt(3);
    ContainerSpec.Builder container = ContainerSpec.newBuilder().setImage(image).setStopGracePeriod(GRACE);
    if (random.nextInt(5) == 0) {
      container.setHealthcheck(HealthConfig.newBuilder().addTest("CMD-SHELL").addTest("true"));
    }
    TaskSpec.Builder task = TaskSpec.newBuilder()
        .setContainerSpec(container)
        .setRestartPolicy(RestartPolicy.newBuilder().setCondition("any").setDelay(DELAY));
    if (random.nextInt(3) == 0) {
      task.setResources(ResourceRequirements.newBuilder()
          .setReservations(Resources.newBuilder().setNanoCpus(SimNode.CPUS / 8).setMemoryBytes(SimNode.MEMORY / 9)));
    }
    if (random.nextInt(4) == 0) {
      task.setPlacement(Placement.newBuilder().addConstraints(CONSTRAINTS.get(random.nextInt(CONSTRAINTS.size()))));
    } else if (random.nextInt(6) == 0) {
      task.setPlacement(Placement.newBuilder().setMaxReplicas(2 * REPLICAS_LEFT));
    }
    for (Row<NetworkRow> network : networks) {
      if (random.nextInt(2) == 0) {
        task.addNetworks(NetworkAttachmentConfig.newBuilder().setTarget(network.key().lastPart()));
      }
    }
    return task.build();
  }

  private EndpointSpec endpoint() {
    EndpointSpec.Builder endpoint = EndpointSpec.newBuilder().setMode(random.nextInt(4) == 0 ? "dnsrr" : "vip");
    if (endpoint.getMode().equals("vip") && random.nextInt(2) == 0) {
      int port = random.nextBoolean() ? 0 : 30_000 + random.nextInt(4);
      endpoint.addPorts(PortConfig.newBuilder().setProtocol("tcp").setTargetPort(80).setPublishedPort(port).setPublishMode("ingress"));
    }
    return endpoint.build();
  }

  private void removeService(Row<ServiceRow> service) {
    String id = service.key().lastPart();
    cluster.law().mayGo(id);
    ChangeSet.Builder change = ChangeSet.about(id).unmodified(service).delete(service.key());
    change.delete(Rows.NAME.key("service", service.value().getCurrent().getName()));
    for (Row<TemplateRow> template : state().rows(Rows.TEMPLATE, id)) {
      change.delete(template.key());
    }
    TemplateRow current = state().value(Rows.template(id, service.value().getCurrent().getTemplate()));
    current.getEndpoint().getPortsList().stream().filter(port -> port.getPublishedPort() != 0).forEach(port -> change.delete(portKey(port)));
    commit("remove service " + service.value().getCurrent().getName() + " " + id, change, null);
  }

  private void scale(Row<ServiceRow> service, long count) {
    if (service.value().getCurrent().getMode().hasReplicated()) {
      ServiceRequest request = service.value().getCurrent().toBuilder().setMode(replicas(count)).build();
      commit("scale " + request.getName() + " to " + count, replaced(service, request), null);
    }
  }

  private ChangeSet.Builder replaced(Row<ServiceRow> service, ServiceRequest request) {
    ServiceRow before = service.value();
    ServiceRow after =
        before.toBuilder().setGeneration(before.getGeneration() + 1).setPrevious(before.getCurrent()).setCurrent(request).build();
    return ChangeSet.about(before.getId()).unmodified(service).put(service.key(), after);
  }

  private void update(Row<ServiceRow> service, List<Row<NetworkRow>> networks) {
    String id = service.key().lastPart();
    List<Row<TemplateRow>> templates = all(state().rows(Rows.TEMPLATE, id));
    if (templates.size() >= KEPT_TEMPLATES) {
      return;
    }
    long number = templates.getLast().value().getNumber() + 1;
    TemplateRow before = state().value(Rows.template(id, service.value().getCurrent().getTemplate()));
    TemplateRow after = before.toBuilder().setNumber(number).setTask(task(networks)).build();
    ChangeSet.Builder change = replaced(service, service.value().getCurrent().toBuilder().setTemplate(number).build());
    change.put(Rows.template(id, number), after);
    uses(change, after);
    commit("update " + service.value().getCurrent().getName() + " to template " + number, change, null);
  }

  // ---- networks ----

  private void createNetwork() {
    String id = ids.next();
    String name = "n" + random.nextInt(NAMES);
    Key<NameRow> nameKey = Rows.NAME.key("network", name);
    ChangeSet.Builder change = ChangeSet.about(id)
        .absent(nameKey)
        .put(nameKey, NameRow.newBuilder().setId(id).build())
        .put(Rows.NETWORK.key(id), NetworkRow.newBuilder().setId(id).setName(name).build());
    commit("create network " + name + " " + id, change, Rows.NETWORK.key(id));
  }

  private void removeNetwork(List<Row<NetworkRow>> networks) {
    for (Row<NetworkRow> network : networks) {
      if (!used(network.key().lastPart())) {
        removeNetwork(network);
        return;
      }
    }
  }

  private void removeNetwork(Row<NetworkRow> network) {
    String id = network.key().lastPart();
    cluster.law().mayGo(id);
    ChangeSet.Builder change = ChangeSet.about(id).unmodified(network).delete(network.key());
    change.delete(Rows.NAME.key("network", network.value().getName()));
    Key<RefRow> key = Rows.REF.key("network", id);
    Row<RefRow> ref = state().row(key);
    if (ref == null) {
      change.absent(key);
    } else {
      change.unmodified(ref).delete(key);
    }
    commit("remove network " + network.value().getName() + " " + id, change, null);
  }

  /** A service that exists names it in its current template. */
  private boolean used(String network) {
    for (Row<ServiceRow> service : state().rows(Rows.SERVICE)) {
      for (Row<TemplateRow> template : state().rows(Rows.TEMPLATE, service.key().lastPart())) {
        boolean wants = template.value().getTask().getNetworksList().stream().anyMatch(one -> one.getTarget().equals(network));
        if (wants) {
          return true;
        }
      }
    }
    return false;
  }

  // ---- nodes, and the end of the day ----

  private void availability(Row<NodeSpecRow> node, int which) {
    String word = List.of("active", "pause", "drain").get(which);
    NodeSpec spec = node.value().getSpec().toBuilder().setAvailability(word).build();
    ChangeSet.Builder change =
        ChangeSet.about(node.key().lastPart()).unmodified(node).put(node.key(), node.value().toBuilder().setSpec(spec).build());
    commit("node " + node.key().lastPart() + " is to be " + word, change, null);
  }

  /** Asks for nothing that cannot be had: few replicas, all nodes active. */
  void settle() {
    for (Row<NodeSpecRow> node : all(state().rows(Rows.NODE_SPEC))) {
      if (!node.value().getSpec().getAvailability().equals("active")) {
        availability(node, 0);
      }
    }
    int kept = 0;
    for (Row<ServiceRow> service : all(state().rows(Rows.SERVICE))) {
      ServiceMode mode = service.value().getCurrent().getMode();
      if (++kept > SERVICES_LEFT) {
        removeService(service);
      } else if (mode.getReplicated().getReplicas() > REPLICAS_LEFT) {
        scale(service, REPLICAS_LEFT);
      }
    }
  }
}
