package dev.skep.agent.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Sorts what an agent finds on its engine when it starts.
 *
 * @param adopted task id to container id
 * @param doomed containers of ours that no task has, and of older identities of this instance
 * @param waiting containers of ours whose tasks are unknown, while no manager has said yet what this node should run
 */
public record Adoption(Map<String, String> adopted, List<String> doomed, List<String> waiting) {
  /** A container on the engine. */
  public record Found(String id, Map<String, String> labels) {}

  /**
   * @param authoritative the tasks come from a manager, now; a set from disk may be older than the containers
   */
  public static Adoption of(Ownership ownership, List<Found> found, Set<String> tasks, boolean authoritative) {
    Map<String, String> adopted = new TreeMap<>();
    List<String> doomed = new ArrayList<>();
    List<String> waiting = new ArrayList<>();
    for (Found container : found) {
      if (!Ownership.ofInstance(ownership.instance(), container.labels())) {
        continue;
      }
      String task = container.labels().getOrDefault(Ownership.TASK, "");
      if (!ownership.owns(container.labels())) {
        doomed.add(container.id());
      } else if (tasks.contains(task)) {
        if (adopted.putIfAbsent(task, container.id()) != null) {
          doomed.add(container.id());
        }
      } else if (authoritative) {
        doomed.add(container.id());
      } else {
        waiting.add(container.id());
      }
    }
    return new Adoption(adopted, List.copyOf(doomed), List.copyOf(waiting));
  }
}
