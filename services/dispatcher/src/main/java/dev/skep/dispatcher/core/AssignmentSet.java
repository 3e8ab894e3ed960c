package dev.skep.dispatcher.core;

import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Everything that one node should have, by id. {@code last_status} is not part of it: that is filled in when a task is
 * sent, so that a node's own reports do not come back to it as changes.
 */
public record AssignmentSet(String nodeId, SortedMap<String, TaskAssignment> tasks, SortedMap<String, NetworkAssignment> networks) {
  public AssignmentSet {
    tasks = Collections.unmodifiableSortedMap(new TreeMap<>(tasks));
    networks = Collections.unmodifiableSortedMap(new TreeMap<>(networks));
  }

  public static AssignmentSet empty(String nodeId) {
    return new AssignmentSet(nodeId, Collections.emptySortedMap(), Collections.emptySortedMap());
  }
}
