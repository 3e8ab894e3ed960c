package dev.skep.skepd.sim;

import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Restored;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.Violation;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What must hold of real containers, whatever the rows say. */
final class Physics {
  private final SimStore store;
  private final Traffic traffic;
  private final Map<String, Container> addresses = new HashMap<>(); // network and address, to who has it
  private final Map<String, Container> slots = new HashMap<>(); // service and slot
  private final Map<String, Container> byTask = new HashMap<>(); // the latest that was started
  private final Set<String> excused = new HashSet<>(); // tasks whose node was given up once: they may be replaced while they run
  private final Set<String> rewound = new HashSet<>(); // tasks about which a restored store thinks otherwise
  private final Set<String> startFirst = new HashSet<>(); // services
  private final Set<String> kept = new HashSet<>(); // tasks that were wanted and ran when the store was lost; while it is unconfirmed

  Physics(SimStore store, Traffic traffic) {
    this.store = store;
    this.traffic = traffic;
    store.watch(landed -> landed.changes().forEach(change -> {
      if (change.of(Rows.NODE_STATUS) || change.of(Rows.NODE_SPEC)) {
        String node = change.key().lastPart();
        NodeRecord record = NodeRecord.find(landed.after(), node);
        if (record == null || record.down()) {
          landed.after().tasksOfNode(node).forEach(excused::add);
        }
      } else if (change.of(Rows.STATUS) && change.after() != null) {
        runs((TaskStatusRow) change.newest());
      } else if (change.of(Rows.SERVICE) && ((ServiceRow) change.newest()).getCurrent().getUpdateConfig().getOrder().equals("start-first")) {
        startFirst.add(change.key().lastPart());
      }
    }));
  }

  void started(Container container) {
    container.networks.forEach((network, address) -> {
      Container other = addresses.put(network + " " + address, container);
      if (clashes(other, container)) {
        throw new Violation("the address " + address + " of network " + network + " is held by " + other + " and by " + container);
      }
    });
    byTask.put(container.task.getId(), container);
    String slot = container.task.getServiceId() + "/" + (container.task.getGlobal() ? container.task.getNodeId() : container.task.getSlot());
    Container other = slots.put(slot, container);
    if (clashes(other, container) && !startFirst.contains(container.task.getServiceId()) && !leaves(other) && !leaves(container)) {
      throw new Violation("two containers of one slot run: " + other + " and " + container);
    }
  }

  private boolean clashes(Container other, Container container) {
    return other != null && other != container && !excused.contains(other.task.getId()) && !excused.contains(container.task.getId());
  }

  /** It was scaled away, and its slot is free for another one while it stops. */
  private boolean leaves(Container container) {
    TaskRecord task = TaskRecord.find(store.state(), container.task.getId());
    return task == null || task.desired() == TaskState.TASK_REMOVE;
  }

  void stopped(Container container) {
    addresses.values().removeIf(place -> place == container);
    slots.values().removeIf(place -> place == container);
  }

  /** Another store took the place of one, and may have lost what came last: of tasks that differ, nothing can be asked any more. */
  void moved(ClusterState lost, ClusterState left) {
    byTask.forEach((id, container) -> {
      TaskRecord task = TaskRecord.find(lost, id);
      if (container.well() && task != null && task.desired() == TaskState.TASK_RUNNING && !task.terminal() && task.nodeId().equals(container.nodeId())) {
        kept.add(id);
      }
    });
    lost.rows(Rows.INTENT).forEach(row -> differs(lost, left, row.key().lastPart()));
    left.rows(Rows.INTENT).forEach(row -> differs(lost, left, row.key().lastPart()));
    byTask.values().removeIf(container -> !container.running());
    byTask.keySet().stream().filter(task -> !left.has(Rows.INTENT.key(task))).forEach(excused::add);
  }

  private void differs(ClusterState lost, ClusterState left, String taskId) {
    TaskRecord before = TaskRecord.find(lost, taskId);
    TaskRecord after = TaskRecord.find(left, taskId);
    boolean same = before != null && after != null && before.desired() == after.desired() && before.nodeId().equals(after.nodeId())
        && before.terminal() == after.terminal();
    if (!same) {
      excused.add(taskId);
      rewound.add(taskId);
    }
  }

  /** A task with a health check runs when its container was found to be healthy, and not before. */
  private void runs(TaskStatusRow status) {
    Container container = byTask.get(status.getTaskId());
    if (status.getState() == TaskState.TASK_RUNNING && container != null && container.checked() && !container.wasHealthy) {
      throw new Violation(container + " is said to run, and was never healthy");
    }
  }

  /** The agent ends a running container: somebody must have wanted that. */
  void stopping(Container container) {
    traffic.stopping(container);
    ClusterState state = store.state();
    if (Restored.unconfirmed(state) && kept.contains(container.task.getId()) && container.well()) {
      throw new Violation("the healthy " + container + " on " + container.nodeId() + " is stopped before the restore was confirmed");
    }
    TaskRecord task = TaskRecord.find(state, container.task.getId());
    if (task == null || task.desired().getNumber() > TaskState.TASK_COMPLETE_VALUE || task.terminal() || !container.well()
        || rewound.contains(task.id())) {
      return;
    }
    boolean given = state.has(Rows.NODE_SPEC.key(container.nodeId()));
    if (given && !task.nodeId().equals(container.nodeId())) {
      throw new Violation(container + " runs on " + container.nodeId() + " and its task is placed on '" + task.nodeId() + "'");
    }
    throw new Violation("the healthy " + container + " on " + container.nodeId() + " is stopped, though its task is wanted " + task.desired());
  }
}
