package dev.skep.skepd.sim;

import dev.skep.agent.core.Adoption;
import dev.skep.agent.core.NetworkWant.Overlay;
import dev.skep.agent.core.Observation;
import dev.skep.agent.core.Ownership;
import dev.skep.dispatcher.v1.AttachmentAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.state.Subnet;
import dev.skep.testkit.sim.Violation;
import dev.skep.testkit.sim.World;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A container engine: slow, sometimes down, with containers that crash, are killed behind our back, or whose image does
 * not exist. Calls are carried out also when their caller has died meanwhile.
 */
final class SimEngine {
  /** What the engine answered. */
  sealed interface Answer {
    record Done() implements Answer {}

    record Refused(String reason) implements Answer {}

    /** It is down, or not there yet: ask again. */
    record Unavailable() implements Answer {}
  }

  /** A network on the engine, labelled with the node that made it. */
  record Standing(Overlay overlay, String nodeId) {}

  static final String MISSING = "missing:latest";
  private static final Map<String, Map<String, String>> OTHERS = Map.of(
      "somebody's", Map.of("maintainer", "somebody"),
      "another instance's", Map.of(Ownership.CLUSTER, "another", Ownership.NODE, "other", Ownership.INSTANCE, "ab12"));
  private static final Duration QUICK_CHECK = Duration.ofMillis(50);
  private static final Duration SLOW_CHECK = Duration.ofMillis(800);
  private static final double SICK = 0.1;

  private final World world;
  private final String name;
  private final Physics physics;
  private final Map<String, Container> containers = new TreeMap<>(); // by id
  private final Map<String, Standing> networks = new TreeMap<>(); // by network id, which is the engine network's name
  private Consumer<Container> listener = container -> { };
  private String owner = "";
  private boolean up = true;
  private boolean imagesComplete;
  private long numbers;

  SimEngine(World world, String name, Physics physics) {
    this.world = world;
    this.name = name;
    this.physics = physics;
  }

  /** Who hears of containers that change. */
  void listen(Consumer<Container> who) {
    listener = who;
  }

  /** Which node the machine is now. */
  void ownedBy(String nodeId) {
    owner = nodeId;
  }

  boolean up() {
    return up;
  }

  void completeImages() {
    imagesComplete = true;
  }

  Collection<Container> containers() {
    return containers.values();
  }

  Map<String, Standing> networks() {
    return networks;
  }

  List<Container> running() {
    return containers.values().stream().filter(Container::running).toList();
  }

  private void note(String what) {
    world.note(name, what);
  }

  // ---- what happens to it ----

  void stop() {
    if (up) {
      note("stops");
      up = false;
      running().forEach(container -> {
        container.state = Container.State.INTERRUPTED;
        physics.stopped(container);
      });
    }
  }

  void start() {
    if (!up) {
      note("starts");
      up = true;
      List.copyOf(containers.values()).forEach(listener);
    }
  }

  void exit(Container container, long code) {
    if (up && container.running()) {
      note(container + " exits with " + code);
      container.state = Container.State.EXITED;
      container.exitCode = code;
      physics.stopped(container);
      listener.accept(container);
    }
  }

  /** {@code docker rm -f} by somebody else. */
  void removeBehindOurBack(Container container) {
    if (up && containers.remove(container.id) != null) {
      note(container + " is removed by somebody");
      if (container.running()) {
        physics.stopped(container);
      }
      container.state = Container.State.EXITED;
      listener.accept(container);
    }
  }

  /** The first health check of a container that has one. */
  private void check(Container container) {
    if (!container.checked()) {
      return;
    }
    long pid = container.pid;
    world.after(world.between(QUICK_CHECK, SLOW_CHECK), () -> {
      if (container.running() && container.pid == pid && container.health == Observation.Health.STARTING) {
        health(container, world.chance(SICK) && !imagesComplete ? Observation.Health.UNHEALTHY : Observation.Health.HEALTHY);
      }
    });
  }

  void health(Container container, Observation.Health health) {
    if (up && container.running() && container.checked()) {
      note(container + " is " + health);
      container.health = health;
      container.wasHealthy |= health == Observation.Health.HEALTHY;
      listener.accept(container);
    }
  }

  /** Everything of ours goes, as {@code swarm leave} does it. */
  void purge() {
    List.copyOf(containers.values()).forEach(container -> {
      note("purges " + container);
      containers.remove(container.id);
      if (container.running()) {
        physics.stopped(container);
      }
      container.state = Container.State.EXITED;
    });
    networks.clear();
  }

  // ---- calls ----

  private void call(Duration least, Duration most, Runnable body, Consumer<Answer> answer) {
    world.after(world.between(least, most), () -> {
      if (!up) {
        answer.accept(new Answer.Unavailable());
      } else {
        body.run();
      }
    });
  }

  Observation observe(String taskId) {
    Container container = ofTask(taskId);
    if (container == null) {
      return new Observation.Absent();
    }
    return switch (container.state) {
      case CREATED -> new Observation.Created(container.id, List.of());
      case RUNNING -> new Observation.Running(container.id, container.pid, container.health);
      case EXITED -> new Observation.Exited(container.id, container.exitCode, "", container.checked());
      case INTERRUPTED -> new Observation.Interrupted(container.id);
    };
  }

  Container ofTask(String taskId) {
    for (Container container : containers.values()) {
      if (container.task.getId().equals(taskId)) {
        return container;
      }
    }
    return null;
  }

  void pull(String image, Consumer<Answer> answer) {
    call(Duration.ofMillis(5), Duration.ofMillis(300), () -> {
      boolean missing = image.equals(MISSING) && !imagesComplete;
      answer.accept(missing ? new Answer.Refused("No such image: " + image) : new Answer.Done());
    }, answer);
  }

  void create(TaskAssignment task, Map<String, String> labels, Consumer<Answer> answer) {
    call(Duration.ofMillis(10), Duration.ofMillis(80), () -> {
      if (ofTask(task.getId()) != null) {
        answer.accept(new Answer.Refused("Conflict. The container name is already in use"));
        return;
      }
      Container container = new Container("c" + ++numbers + "@" + name, task, labels);
      for (AttachmentAssignment attachment : task.getAttachmentsList()) {
        if (!networks.containsKey(attachment.getNetworkId())) {
          answer.accept(new Answer.Unavailable());
          return;
        }
        container.networks.put(attachment.getNetworkId(), attachment.getAddress().replaceFirst("/.*", ""));
      }
      note("creates " + container);
      containers.put(container.id, container);
      listener.accept(container);
      answer.accept(new Answer.Done());
    }, answer);
  }

  void start(String taskId, Consumer<Answer> answer) {
    call(Duration.ofMillis(20), Duration.ofMillis(250), () -> {
      Container container = ofTask(taskId);
      if (container == null) {
        answer.accept(new Answer.Refused("No such container"));
        return;
      }
      if (!networks.keySet().containsAll(container.networks.keySet())) {
        answer.accept(new Answer.Refused("network not found"));
        return;
      }
      if (!container.running()) {
        note("starts " + container);
        container.state = Container.State.RUNNING;
        container.pid = ++numbers;
        container.startedAt = world.elapsed();
        container.health = container.checked() ? Observation.Health.STARTING : Observation.Health.NONE;
        physics.started(container);
        listener.accept(container);
        check(container);
      }
      answer.accept(new Answer.Done());
    }, answer);
  }

  void stop(String taskId, Duration grace, Consumer<Answer> answer) {
    Container asked = ofTask(taskId);
    if (asked != null && asked.running()) {
      physics.stopping(asked);
    }
    long most = Math.max(2, Math.min(grace.toMillis(), 2000));
    call(Duration.ofMillis(1), Duration.ofMillis(most), () -> {
      Container container = ofTask(taskId);
      if (container != null && container.running()) {
        note("stops " + container);
        container.state = Container.State.EXITED;
        container.exitCode = 143;
        physics.stopped(container);
        listener.accept(container);
      }
      answer.accept(new Answer.Done());
    }, answer);
  }

  void remove(String containerId, Consumer<Answer> answer) {
    if (OTHERS.containsKey(containerId)) {
      throw new Violation(name + ": the container that is " + containerId + " is removed");
    }
    call(Duration.ofMillis(2), Duration.ofMillis(30), () -> {
      Container container = containers.remove(containerId);
      if (container != null) {
        note("removes " + container);
        if (container.running()) {
          if (container.nodeId().equals(owner)) { // else it is a leftover of an older identity
            physics.stopping(container);
          }
          physics.stopped(container);
        }
        container.state = Container.State.EXITED;
        listener.accept(container);
      }
      answer.accept(new Answer.Done());
    }, answer);
  }

  void createNetwork(Overlay overlay, String nodeId, Consumer<Answer> answer) {
    call(Duration.ofMillis(20), Duration.ofMillis(120), () -> {
      Subnet subnet = Subnet.parse(overlay.subnet());
      Standing same = networks.get(overlay.id());
      if (same != null && !same.nodeId.equals(nodeId)) {
        answer.accept(new Answer.Refused("network with name skep-" + overlay.id() + " already exists"));
        return;
      }
      for (Standing standing : networks.values()) {
        Overlay other = standing.overlay;
        boolean clash = Subnet.parse(other.subnet()).overlaps(subnet) || other.vni() == overlay.vni();
        if (clash && !other.id().equals(overlay.id())) {
          if (!standing.nodeId.equals(nodeId)) {
            answer.accept(new Answer.Refused("Pool overlaps with other one on this address space"));
            return;
          }
          throw new Violation(name + ": Pool overlaps: " + overlay + " and " + other);
        }
      }
      note("creates network " + overlay.id() + " " + overlay.subnet() + " " + overlay.gateway());
      networks.put(overlay.id(), new Standing(overlay, nodeId));
      answer.accept(new Answer.Done());
    }, answer);
  }

  void removeNetwork(String networkId, Consumer<Answer> answer) {
    call(Duration.ofMillis(20), Duration.ofMillis(120), () -> {
      for (Container container : containers.values()) {
        if (container.running() && container.networks.containsKey(networkId)) {
          answer.accept(new Answer.Refused("network has active endpoints"));
          return;
        }
      }
      note("removes network " + networkId);
      networks.remove(networkId);
      answer.accept(new Answer.Done());
    }, answer);
  }

  /** All containers, as an agent lists them when it starts; empty answer while the engine is down. */
  void list(Consumer<List<Adoption.Found>> answer, Consumer<Answer> unavailable) {
    call(Duration.ofMillis(1), Duration.ofMillis(20), () -> {
      List<Adoption.Found> found = new ArrayList<>();
      OTHERS.forEach((id, labels) -> found.add(new Adoption.Found(id, labels)));
      containers.values().forEach(container -> found.add(new Adoption.Found(container.id, container.labels)));
      answer.accept(found);
    }, unavailable);
  }
}
