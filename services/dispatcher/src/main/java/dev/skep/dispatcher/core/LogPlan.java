package dev.skep.dispatcher.core;

import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import java.util.Collections;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** Whom to ask for the logs that a reader wants: tasks by node; and what cannot be had, with the reason by task. */
public record LogPlan(SortedMap<String, SortedSet<String>> tasksByNode, SortedMap<String, String> problems) {
  public LogPlan {
    tasksByNode = Collections.unmodifiableSortedMap(new TreeMap<>(tasksByNode));
    problems = Collections.unmodifiableSortedMap(new TreeMap<>(problems));
  }

  /** {@code asked}: tasks that were asked before, in a follow; they are not asked again. */
  public static LogPlan of(ClusterState state, LogSelector selector, Set<String> asked) {
    SortedSet<String> wanted = new TreeSet<>(selector.getTaskIdsList());
    selector.getServiceIdsList().forEach(service -> state.tasksOfService(service).forEach(wanted::add));
    SortedMap<String, SortedSet<String>> nodes = new TreeMap<>();
    SortedMap<String, String> problems = new TreeMap<>();
    for (String taskId : wanted) {
      if (asked.contains(taskId)) {
        continue;
      }
      TaskRecord task = TaskRecord.find(state, taskId);
      if (task == null) {
        problems.put(taskId, "task " + taskId + " not found");
      } else if (task.nodeId().isEmpty()) {
        problems.put(taskId, "task " + taskId + " has not been scheduled");
      } else if (NodeLife.of(state, task.nodeId()) == NodeLife.DOWN) {
        problems.put(taskId, unavailable(task.nodeId()));
      } else {
        nodes.computeIfAbsent(task.nodeId(), node -> new TreeSet<>()).add(taskId);
      }
    }
    return new LogPlan(nodes, problems);
  }

  /** Whether tasks may still join a follow: a selected service exists. */
  public static boolean mayGrow(ClusterState state, LogSelector selector) {
    return selector.getServiceIdsList().stream()
        .anyMatch(service -> state.has(Rows.SERVICE.key(service)) || state.tasksOfService(service).iterator().hasNext());
  }

  public static String unavailable(String nodeId) {
    return "node " + nodeId + " is not available";
  }
}
