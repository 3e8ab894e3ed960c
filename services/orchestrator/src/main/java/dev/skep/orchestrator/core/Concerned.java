package dev.skep.orchestrator.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Delta;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** Which services, and which of their slots, a change may concern. What waits for its time is always among them. */
final class Concerned {
  /** Stands for all slots of a service, and for the service itself. */
  static final Set<String> WHOLE = Set.of("*");

  private final ClusterState state;
  private final SortedMap<String, Set<String>> services = new TreeMap<>();
  /** By service and slot: how many more live tasks there are than before. */
  private final Map<String, Map<String, Integer>> gained = new HashMap<>();

  private Concerned(ClusterState state) {
    this.state = state;
  }

  static SortedMap<String, Set<String>> by(ClusterState state, Delta since) {
    Concerned concerned = new Concerned(state);
    if (since.everything() || since.changes().stream().anyMatch(change -> change.of(Rows.CLUSTER))) {
      concerned.everything();
      return concerned.services;
    }
    for (String taskId : state.waitingTasks()) {
      concerned.task(taskId);
    }
    for (Row<RolloutRow> rollout : state.rows(Rows.ROLLOUT)) {
      if (rollout.value().getState().equals(Rollout.UPDATING)) {
        concerned.whole(rollout.key().lastPart());
      }
    }
    since.changes().forEach(concerned::change);
    concerned.counts();
    return concerned.services;
  }

  private void everything() {
    state.rows(Rows.SERVICE).forEach(row -> whole(row.key().lastPart()));
    state.rows(Rows.INTENT).forEach(row -> whole(row.value().getServiceId()));
    state.rows(Rows.ROLLOUT).forEach(row -> whole(row.key().lastPart()));
  }

  private void change(RowChange change) {
    if (change.of(Rows.SERVICE) || change.of(Rows.ROLLOUT)) {
      whole(change.key().lastPart());
    } else if (change.of(Rows.TEMPLATE)) {
      whole(change.key().parts()[0]);
    } else if (change.of(Rows.INTENT)) {
      count(change.before(), -1);
      count(change.after(), 1);
    } else if (change.of(Rows.STATUS) || change.of(Rows.PLACEMENT)) {
      task(change.key().lastPart());
    } else if (change.of(Rows.NODE_SPEC) || change.of(Rows.NODE_STATUS) && moves(change)) {
      node(change.key().lastPart());
    }
  }

  /** Routes, bridges and port problems of a node say nothing about what should run there. */
  private static boolean moves(RowChange change) {
    if (change.before() == null || change.after() == null) {
      return true;
    }
    NodeStatusRow before = (NodeStatusRow) change.before().value();
    NodeStatusRow after = (NodeStatusRow) change.after().value();
    return !before.getState().equals(after.getState())
        || !before.getAddr().equals(after.getAddr())
        || !before.getDescription().equals(after.getDescription());
  }

  private void node(String nodeId) {
    for (String taskId : state.tasksOfNode(nodeId)) {
      task(taskId);
    }
    for (Row<ServiceRow> service : state.rows(Rows.SERVICE)) {
      if (service.value().getCurrent().getMode().hasGlobal()) {
        slot(service.key().lastPart(), nodeId);
      }
    }
  }

  private void task(String taskId) {
    TaskIntentRow intent = state.value(Rows.INTENT.key(taskId));
    if (intent != null) {
      slot(intent.getServiceId(), TaskRecord.slotOf(intent));
    }
  }

  private void count(Row<?> row, int one) {
    if (row == null) {
      return;
    }
    TaskIntentRow intent = (TaskIntentRow) row.value();
    String slot = TaskRecord.slotOf(intent);
    slot(intent.getServiceId(), slot);
    if (intent.getDesiredValue() < TaskState.TASK_SHUTDOWN_VALUE) {
      gained.computeIfAbsent(intent.getServiceId(), id -> new HashMap<>()).merge(slot, one, Integer::sum);
    }
  }

  private void counts() {
    gained.forEach(
        (serviceId, slots) -> {
          boolean moved = slots.values().stream().anyMatch(count -> count != 0);
          if (moved && state.has(Rows.SERVICE.key(serviceId))) {
            whole(serviceId);
          }
        });
  }

  private void whole(String serviceId) {
    services.put(serviceId, WHOLE);
  }

  private void slot(String serviceId, String slot) {
    Set<String> slots = services.computeIfAbsent(serviceId, id -> new TreeSet<>(Slot.ORDER));
    if (slots != WHOLE) {
      slots.add(slot);
    }
  }
}
