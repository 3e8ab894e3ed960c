package dev.skep.agent.core;

import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.state.v1.TaskStatusRow;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * All that the cluster wants of this node, as of one revision. Containers outlive managers, so a set is believed only
 * when it is not older than the one before it, and one that would take away more than half of what runs is believed
 * only after a second look.
 */
public record AssignmentSet(
    String epoch, long revision, Map<String, TaskAssignment> tasks, Map<String, NetworkAssignment> networks) {

  public sealed interface Outcome {
    record Applied(AssignmentSet set) implements Outcome {}

    /** Older than what was applied, or a difference to something else: ask for a complete set. */
    record Refused(String reason) implements Outcome {}

    /** Would remove more than half of the running tasks: open a fresh stream and see whether it says so too. */
    record Unconfirmed(AssignmentSet set, int removed, int running) implements Outcome {}
  }

  public static AssignmentSet empty() {
    return new AssignmentSet("", 0, Map.of(), Map.of());
  }

  /**
   * @param running ids of tasks whose containers run
   * @param confirmed the message is the first of a stream that was opened to confirm an earlier one
   */
  public Outcome apply(AssignmentsMessage message, Set<String> running, boolean confirmed) {
    boolean sameEpoch = message.getEpoch().equals(epoch);
    if (!message.getComplete() && !sameEpoch) {
      return new Outcome.Refused("a difference of epoch " + message.getEpoch() + " does not fit epoch " + epoch);
    }
    if (sameEpoch && message.getRevision() < revision) {
      return new Outcome.Refused("revision " + message.getRevision() + " is older than the applied " + revision);
    }
    AssignmentSet next = merged(message);
    int removed = (int) running.stream().filter(id -> !next.tasks.containsKey(id)).count();
    if (!confirmed && removed * 2 > running.size()) {
      return new Outcome.Unconfirmed(next, removed, running.size());
    }
    return new Outcome.Applied(next);
  }

  private AssignmentSet merged(AssignmentsMessage message) {
    Map<String, TaskAssignment> nextTasks = message.getComplete() ? new TreeMap<>() : new TreeMap<>(tasks);
    Map<String, NetworkAssignment> nextNetworks = message.getComplete() ? new TreeMap<>() : new TreeMap<>(networks);
    message.getRemoveTasksList().forEach(nextTasks::remove);
    message.getRemoveNetworksList().forEach(nextNetworks::remove);
    message.getPutTasksList().forEach(task -> nextTasks.put(task.getId(), known(task)));
    message.getPutNetworksList().forEach(network -> nextNetworks.put(network.getId(), network));
    return new AssignmentSet(
        message.getEpoch(), message.getRevision(), Collections.unmodifiableMap(nextTasks), Collections.unmodifiableMap(nextNetworks));
  }

  /** A template can go before its last tasks do; they keep to what they were started with. */
  private TaskAssignment known(TaskAssignment task) {
    TaskAssignment before = tasks.get(task.getId());
    return task.hasSpec() || before == null ? task : task.toBuilder().setSpec(before.getSpec()).build();
  }

  /** What goes to disk: no credentials, and with every task how far it has come here. */
  public AssignmentsMessage durable(Function<String, TaskStatusRow> status) {
    AssignmentsMessage.Builder message = AssignmentsMessage.newBuilder().setEpoch(epoch).setRevision(revision).setComplete(true);
    tasks.forEach((id, task) -> message.addPutTasks(task.toBuilder().clearRegistryAuth().setLastStatus(status.apply(id))));
    networks.values().forEach(message::addPutNetworks);
    return message.build();
  }

  public static AssignmentSet ofDurable(AssignmentsMessage message) {
    return empty().merged(message);
  }
}
