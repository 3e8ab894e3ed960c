package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.v1.SealedRow;
import dev.skep.state.v1.TaskState;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the registry credentials that a user sent with a service into the orders of the node that has to pull, and only
 * while it may have to. They are opened here, at the last moment, so that no view and no feed ever holds them.
 */
final class Credentials {
  private static final Logger LOG = LoggerFactory.getLogger(Credentials.class);

  private final Supplier<Path> identityFolder;

  Credentials(Supplier<Path> identityFolder) {
    this.identityFolder = identityFolder;
  }

  AssignmentsMessage into(AssignmentsMessage message, ClusterState state) {
    AssignmentsMessage.Builder filled = null;
    for (int i = 0; i < message.getPutTasksCount(); i++) {
      Optional<String> credentials = of(message.getPutTasks(i), state);
      if (credentials.isPresent()) {
        filled = filled == null ? message.toBuilder() : filled;
        filled.getPutTasksBuilder(i).setRegistryAuth(credentials.get());
      }
    }
    return filled == null ? message : filled.build();
  }

  private Optional<String> of(TaskAssignment task, ClusterState state) {
    Key<SealedRow> key = SealedRows.registryAuth(task.getServiceId());
    SealedRow sealed = state.value(key);
    if (sealed == null || !mayPull(task)) {
      return Optional.empty();
    }
    try {
      return Optional.of(new String(ClusterKey.read(identityFolder.get()).open(key, sealed), StandardCharsets.UTF_8));
    } catch (IOException | IllegalStateException e) {
      // The task still gets its chance: the image may be on the node, or public.
      LOG.error("the registry credentials of service {} cannot be opened; its images are pulled without", task.getServiceId(), e);
      return Optional.empty();
    }
  }

  private static boolean mayPull(TaskAssignment task) {
    return task.getDesired().getNumber() <= TaskState.TASK_RUNNING_VALUE && task.getLastStatus().getState().getNumber() < TaskState.TASK_READY_VALUE;
  }
}
