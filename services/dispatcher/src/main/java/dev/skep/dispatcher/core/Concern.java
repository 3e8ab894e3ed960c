package dev.skep.dispatcher.core;

import java.util.Collections;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/** The tasks and networks of one node's set that some changes may concern. Concerns of several changes can be joined. */
public record Concern(SortedSet<String> tasks, SortedSet<String> networks) {
  public static final Concern NONE = new Concern(new TreeSet<>(), new TreeSet<>());

  public Concern {
    tasks = Collections.unmodifiableSortedSet(new TreeSet<>(tasks));
    networks = Collections.unmodifiableSortedSet(new TreeSet<>(networks));
  }

  public static Concern of(Set<String> tasks, Set<String> networks) {
    return new Concern(new TreeSet<>(tasks), new TreeSet<>(networks));
  }

  public boolean isEmpty() {
    return tasks.isEmpty() && networks.isEmpty();
  }

  public Concern and(Concern other) {
    if (other.isEmpty()) {
      return this;
    }
    TreeSet<String> allTasks = new TreeSet<>(tasks);
    allTasks.addAll(other.tasks);
    TreeSet<String> allNetworks = new TreeSet<>(networks);
    allNetworks.addAll(other.networks);
    return new Concern(allTasks, allNetworks);
  }
}
