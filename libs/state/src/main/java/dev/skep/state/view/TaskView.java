package dev.skep.state.view;

import com.google.protobuf.Timestamp;
import dev.skep.api.v1.NetworkAttachment;
import dev.skep.api.v1.PortStatus;
import dev.skep.api.v1.SwarmNetwork;
import dev.skep.api.v1.Task;
import dev.skep.api.v1.TaskSpec;
import dev.skep.api.v1.TaskStatus;
import dev.skep.state.ClusterState;
import dev.skep.state.Restored;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.state.v1.TemplateRow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A task. It is hidden as soon as its service is gone, all tasks of the service together: clients that wait for a removed
 * stack count the tasks that are left and would hang on a list that shrinks in parts.
 */
public final class TaskView {
  private TaskView() {}

  public static Optional<Task> of(ClusterState state, String id) {
    return Optional.ofNullable(TaskRecord.find(state, id)).flatMap(record -> task(state, record, new HashMap<>()));
  }

  /** All tasks of services that exist, in id order. */
  public static List<Task> all(ClusterState state) {
    List<Task> all = new ArrayList<>();
    Map<String, SwarmNetwork> networks = new HashMap<>();
    TaskRecord.forEach(state, record -> task(state, record, networks).ifPresent(all::add));
    return all;
  }

  /** The tasks of one service, in id order. */
  public static List<Task> ofService(ClusterState state, String serviceId) {
    List<Task> all = new ArrayList<>();
    Map<String, SwarmNetwork> networks = new HashMap<>();
    for (TaskRecord record : TaskRecord.ofService(state, serviceId)) {
      task(state, record, networks).ifPresent(all::add);
    }
    return all;
  }

  /** @param networks those already computed for this list: many tasks share few of them */
  private static Optional<Task> task(ClusterState state, TaskRecord record, Map<String, SwarmNetwork> networks) {
    TaskIntentRow intent = record.intent();
    TemplateRow template = state.value(Rows.template(intent.getServiceId(), intent.getTemplate()));
    if (template == null || !state.has(Rows.SERVICE.key(intent.getServiceId()))) {
      return Optional.empty();
    }
    Task.Builder task =
        Task.newBuilder()
            .setId(record.id())
            .setVersion(Join.version(record.intentRow(), record.addressRow(), record.placementRow(), record.statusRow()))
            .setCreatedAt(intent.getCreatedAt())
            .setUpdatedAt(updatedAt(record))
            .setSpec(spec(template))
            .setServiceId(intent.getServiceId())
            .setSlot(intent.getSlot())
            .setNodeId(nodeId(record))
            .setStatus(status(state, record, template))
            .setDesiredState(TaskStates.text(intent.getDesired()));
    if (record.addressed()) {
      for (TaskAddress address : record.addressRow().value().getAddressesList()) {
        task.addNetworksAttachments(
            NetworkAttachment.newBuilder()
                .setNetwork(networks.computeIfAbsent(address.getNetworkId(), id -> NetworkView.swarmNetwork(state, id)))
                .addAddresses(address.getAddress()));
      }
    }
    return Optional.of(task.build());
  }

  /** The API shows the runtime in services only. */
  private static TaskSpec spec(TemplateRow template) {
    TaskSpec spec = template.getTask();
    return spec.getRuntime().isEmpty() ? spec : spec.toBuilder().clearRuntime().build();
  }

  private static Timestamp updatedAt(TaskRecord record) {
    Timestamp latest = Join.later(record.intent().getUpdatedAt(), record.intent().getCreatedAt());
    if (record.addressRow() != null) {
      latest = Join.later(latest, record.addressRow().value().getTimestamp());
    }
    if (record.placementRow() != null) {
      latest = Join.later(latest, record.placementRow().value().getTimestamp());
    }
    return record.statusRow() == null ? latest : Join.later(latest, record.statusRow().value().getAppliedAt());
  }

  /** Where it was placed; a global task shows the node that it is for from the beginning. */
  private static String nodeId(TaskRecord record) {
    return record.nodeId().isEmpty() ? record.intent().getNodeId() : record.nodeId();
  }

  private static TaskStatus status(ClusterState state, TaskRecord record, TemplateRow template) {
    TaskStatus.Builder status = TaskStatus.newBuilder().setTimestamp(record.intent().getCreatedAt())
        .setPortStatus(PortStatus.getDefaultInstance());
    beforeTheNode(state, record, template, status);
    if (record.statusRow() != null) {
      observed(record, status);
    }
    if (status.getErr().isEmpty() && !record.nodeId().isEmpty() && !record.terminal()) {
      status.setErr(Obstacles.onTheNode(state, record, template));
    }
    if (status.getErr().isEmpty() && !record.terminal()) {
      Restored.notice(state).ifPresent(status::setErr);
    }
    if (record.observed() == TaskState.TASK_REJECTED && !record.intent().getRejected().isEmpty()) {
      rejected(record, status);
    } else if (orphaned(state, record)) {
      return status.setState("orphaned").setMessage("Task belonged to a node that has been deleted").build();
    }
    return status.setState(TaskStates.text(record.observed())).build();
  }

  /** How far the rows have come, and what holds the task up there. */
  private static void beforeTheNode(ClusterState state, TaskRecord record, TemplateRow template, TaskStatus.Builder status) {
    Row<TaskAddressRow> address = record.addressRow();
    Row<PlacementRow> placement = record.placementRow();
    if (!record.nodeId().isEmpty()) {
      boolean preassigned = !record.intent().getNodeId().isEmpty();
      status.setMessage(preassigned ? "scheduler confirmed task can run on preassigned node" : "scheduler assigned task to node");
      timestamp(status, placement.value().hasTimestamp(), placement.value().getTimestamp());
    } else if (record.addressed()) {
      status.setMessage("pending task scheduling");
      timestamp(status, address.value().hasTimestamp(), address.value().getTimestamp());
      if (placement != null) {
        status.setErr(placement.value().getReason());
        timestamp(status, placement.value().hasTimestamp(), placement.value().getTimestamp());
      }
    } else {
      status.setMessage("created").setErr(Obstacles.ofAllocation(state, record, template));
      if (address != null) {
        timestamp(status, address.value().hasTimestamp(), address.value().getTimestamp());
      }
    }
  }

  private static void timestamp(TaskStatus.Builder status, boolean known, Timestamp time) {
    if (known) {
      status.setTimestamp(time);
    }
  }

  private static void observed(TaskRecord record, TaskStatus.Builder status) {
    TaskStatusRow row = record.statusRow().value();
    status.setMessage(row.getMessage()).setErr(row.getErr());
    timestamp(status, row.hasTimestamp(), row.getTimestamp());
    if (row.hasContainer()) {
      status.setContainerStatus(row.getContainer());
    }
    status.getPortStatusBuilder().addAllPorts(row.getHostPortsList());
  }

  private static void rejected(TaskRecord record, TaskStatus.Builder status) {
    status.setMessage("task rejected by constraint enforcer").setErr(record.intent().getRejected());
    timestamp(status, record.intent().hasUpdatedAt(), record.intent().getUpdatedAt());
  }

  /** Its node was removed before it ended: nobody will ever report on it again. */
  private static boolean orphaned(ClusterState state, TaskRecord record) {
    String node = record.nodeId();
    return !node.isEmpty() && !record.terminal() && !state.has(Rows.NODE_SPEC.key(node)) && !state.has(Rows.NODE_STATUS.key(node));
  }
}
