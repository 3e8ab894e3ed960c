package dev.skep.orchestrator.core;

import dev.skep.state.ClusterState;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.TaskState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A place of a service that one task after the other fills; for a global service the place is a node. Oldest task first. */
final class Slot {
  /** Slots in the order of their numbers; node ids all have one length and sort as they are. */
  static final Comparator<String> ORDER = Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());

  private static final Comparator<Task> BY_AGE = Comparator.comparingLong(Task::createdAtRevision).thenComparing(Task::id);

  private final String key;
  private final List<Task> tasks = new ArrayList<>();

  Slot(String key) {
    this.key = key;
  }

  static Slot load(ClusterState state, String serviceId, String key) {
    Slot slot = new Slot(key);
    for (String taskId : state.tasksOfSlot(serviceId, key)) {
      slot.tasks.add(Task.stored(state, taskId));
    }
    slot.tasks.sort(BY_AGE);
    return slot;
  }

  static Map<String, Slot> loadAll(ClusterState state, String serviceId) {
    Map<String, Slot> slots = new TreeMap<>(ORDER);
    for (String taskId : state.tasksOfService(serviceId)) {
      Task task = Task.stored(state, taskId);
      slots.computeIfAbsent(TaskRecord.slotOf(task.intent()), Slot::new).tasks.add(task);
    }
    slots.values().forEach(slot -> slot.tasks.sort(BY_AGE));
    return slots;
  }

  String key() {
    return key;
  }

  List<Task> tasks() {
    return tasks;
  }

  void add(Task task) {
    tasks.add(task);
  }

  List<Task> live() {
    return tasks.stream().filter(Task::live).toList();
  }

  /** The newest task that was not ordered away; null when there is none: then the slot is free. */
  Task current() {
    for (int i = tasks.size() - 1; i >= 0; i--) {
      Task task = tasks.get(i);
      if (!task.deleted() && task.desired() != TaskState.TASK_REMOVE) {
        return task;
      }
    }
    return null;
  }

  /** The task with this id, or null when history has forgotten it. */
  Task find(String taskId) {
    for (Task task : tasks) {
      if (task.id().equals(taskId)) {
        return task;
      }
    }
    return null;
  }

  /** A younger task is meant to take its place. An older one that an update has left beside it is not. */
  boolean succeeded(Task task) {
    return tasks.subList(tasks.indexOf(task) + 1, tasks.size()).stream().anyMatch(Task::live);
  }

  /** Nothing that was told to stop still runs: not only the one replaced, for that may have been a replacement itself. */
  boolean clear() {
    return tasks.stream().allMatch(task -> task.live() || task.outOfTheWay());
  }

  boolean running() {
    return tasks.stream().anyMatch(task -> task.live() && task.reported() == TaskState.TASK_RUNNING);
  }
}
