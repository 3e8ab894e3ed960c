package dev.skep.agent.core;

import com.google.protobuf.Timestamp;
import dev.skep.api.v1.ContainerStatus;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;

/**
 * How far a task has come on this node. {@code ending} is the reason for which the node itself is ending the container
 * (empty: nobody is, or the cluster asked for it).
 */
public record Progress(TaskState state, String message, String err, ContainerStatus container, String ending) {
  public static Progress fresh() {
    return new Progress(TaskState.TASK_ASSIGNED, "", "", ContainerStatus.getDefaultInstance(), "");
  }

  /** What a stored status says; an unset one is a task that the node has not accepted yet. */
  public static Progress of(TaskStatusRow row) {
    return row.getState().getNumber() < TaskState.TASK_ASSIGNED.getNumber()
        ? fresh()
        : new Progress(row.getState(), row.getMessage(), row.getErr(), row.getContainer(), "");
  }

  /** The cluster hands out the task and knows nothing of what became of it here: it has forgotten that, or not heard it yet. */
  public boolean newTo(TaskAssignment given) {
    return state.getNumber() > TaskState.TASK_ASSIGNED_VALUE && !given.hasLastStatus();
  }

  /** It may have a container: one of an earlier life of this agent, which had not written down that there was such a task. */
  public boolean begun() {
    return state.getNumber() > TaskState.TASK_PREPARING_VALUE;
  }

  public boolean terminal() {
    return state.getNumber() > TaskState.TASK_RUNNING.getNumber();
  }

  public TaskStatusRow row(String taskId, String nodeId, Timestamp now) {
    TaskStatusRow.Builder row =
        TaskStatusRow.newBuilder().setTaskId(taskId).setNodeId(nodeId).setState(state).setTimestamp(now).setMessage(message).setErr(err);
    if (!container.getContainerId().isEmpty()) {
      row.setContainer(container);
    }
    return row.build();
  }

  Progress at(TaskState next, String text) {
    return new Progress(next, text, "", container, ending);
  }

  /** Keeps the message of the state in which it failed, as the API does. */
  Progress failed(TaskState next, String text, String reason) {
    return new Progress(next, text, reason, container, "");
  }

  Progress in(String containerId, long pid, long exitCode) {
    return new Progress(
        state, message, err, ContainerStatus.newBuilder().setContainerId(containerId).setPid(pid).setExitCode(exitCode).build(), ending);
  }

  Progress endingFor(String reason) {
    return new Progress(state, message, err, container, reason);
  }
}
