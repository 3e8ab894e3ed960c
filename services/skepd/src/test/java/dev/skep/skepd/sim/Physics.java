package dev.skep.skepd.sim;

import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.Violation;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** What must hold of real containers, whatever the rows say. */
final class Physics {
  private record Place(String node, Container container) {}

  private final SimStore store;
  private final Traffic traffic;
  private final Map<String, Place> addresses = new HashMap<>(); // network and address, to who has it
  private final Map<String, Place> slots = new HashMap<>(); // service and slot
  private final Set<String> excused = new HashSet<>(); // tasks whose node was given up once: they may be replaced while they run
  private final Set<String> startFirst = new HashSet<>(); // services

  Physics(SimStore store, Traffic traffic) {
    this.store = store;
    this.traffic = traffic;
    store.watch(landed -> landed.changes().forEach(change -> {
      if (change.of(Rows.NODE_STATUS)) {
        String node = change.key().lastPart();
        NodeRecord record = NodeRecord.find(landed.after(), node);
        if (record == null || record.down()) {
          landed.after().tasksOfNode(node).forEach(excused::add);
        }
      } else if (change.of(Rows.SERVICE) && ((ServiceRow) change.newest()).getCurrent().getUpdateConfig().getOrder().equals("start-first")) {
        startFirst.add(change.key().lastPart());
      }
    }));
  }

  void started(String node, Container container) {
    Place here = new Place(node, container);
    container.networks.forEach((network, address) -> {
      Place other = addresses.put(network + " " + address, here);
      if (clashes(other, container)) {
        throw new Violation("the address " + address + " of network " + network + " is held by " + other.container + " and by " + container);
      }
    });
    String slot = container.task.getServiceId() + "/" + (container.task.getGlobal() ? node : container.task.getSlot());
    Place other = slots.put(slot, here);
    if (clashes(other, container) && !startFirst.contains(container.task.getServiceId()) && !leaves(other) && !leaves(here)) {
      throw new Violation("two containers of one slot run: " + other.container + " on " + other.node + " and " + container + " on " + node);
    }
  }

  private boolean clashes(Place other, Container container) {
    return other != null && other.container != container && !excused.contains(other.container.task.getId())
        && !excused.contains(container.task.getId());
  }

  /** It was scaled away, and its slot is free for another one while it stops. */
  private boolean leaves(Place place) {
    TaskRecord task = TaskRecord.find(store.state(), place.container.task.getId());
    return task == null || task.desired() == TaskState.TASK_REMOVE;
  }

  void stopped(String node, Container container) {
    addresses.values().removeIf(place -> place.container == container);
    slots.values().removeIf(place -> place.container == container);
  }

  /** The agent ends a running container: somebody must have wanted that. */
  void stopping(String node, Container container) {
    traffic.stopping(node, container);
    ClusterState state = store.state();
    TaskRecord task = TaskRecord.find(state, container.task.getId());
    if (task == null || task.desired().getNumber() > TaskState.TASK_COMPLETE_VALUE || task.terminal()) {
      return;
    }
    if (!task.nodeId().equals(node)) {
      throw new Violation(container + " runs on " + node + " and its task is placed on '" + task.nodeId() + "'");
    }
    throw new Violation("the healthy " + container + " on " + node + " is stopped, though its task is wanted " + task.desired());
  }
}
