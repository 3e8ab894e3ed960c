package dev.skep.skepd.sim;

import dev.skep.agent.core.Observation.Health;
import dev.skep.agent.core.Ownership;
import dev.skep.dispatcher.v1.TaskAssignment;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/** A container on a simulated engine. */
final class Container {
  /** What the engine says about it. */
  enum State {
    CREATED,
    RUNNING,
    EXITED,
    /** It ended because the engine did. */
    INTERRUPTED
  }

  final String id;
  final TaskAssignment task;
  final Map<String, String> labels;
  final Map<String, String> networks = new TreeMap<>(); // network to address, without prefix length
  State state = State.CREATED;
  long exitCode;
  long pid;
  Duration startedAt = Duration.ZERO; // of the world's clock
  Health health = Health.NONE;
  boolean wasHealthy;

  Container(String id, TaskAssignment task, Map<String, String> labels) {
    this.id = id;
    this.task = task;
    this.labels = labels;
  }

  /** It has a health check. */
  boolean checked() {
    return task.getSpec().getContainerSpec().hasHealthcheck();
  }

  /** Nobody has a reason to end it but the one who wanted it. */
  boolean well() {
    return running() && health != Health.UNHEALTHY;
  }

  String nodeId() {
    return labels.getOrDefault(Ownership.NODE, "");
  }

  boolean running() {
    return state == State.RUNNING;
  }

  @Override
  public String toString() {
    return "container " + id + " of " + task.getServiceName() + "." + task.getSlot() + "." + task.getId();
  }
}
