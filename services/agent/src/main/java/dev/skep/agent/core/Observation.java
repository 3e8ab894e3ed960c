package dev.skep.agent.core;

import java.util.List;

/** What the engine knows about a task's container, or what it answered to the last effect. */
public sealed interface Observation {
  /** There is no container of this task. */
  record Absent() implements Observation {}

  /** The container exists and never ran; {@code unconnected} are networks of the task that it is not on yet. */
  record Created(String container, List<String> unconnected) implements Observation {}

  record Running(String container, long pid, Health health) implements Observation {}

  /** The container ended. {@code checked}: it has a health check. */
  record Exited(String container, long exitCode, String error, boolean checked) implements Observation {}

  /** The container ended because its engine (or the machine) ended, not by itself. */
  record Interrupted(String container) implements Observation {}

  /** The engine refused the last effect for good; trying again would not help. */
  record Refused(String reason) implements Observation {}

  enum Health {
    /** The container has no health check. */
    NONE,
    STARTING,
    HEALTHY,
    UNHEALTHY
  }
}
