package dev.skep.agent.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.agent.core.AssignmentSet.Outcome;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AssignmentSetTest {
  private static AssignmentsMessage.Builder message(long revision, boolean complete, String... tasks) {
    var message = AssignmentsMessage.newBuilder().setEpoch("e").setRevision(revision).setComplete(complete);
    for (String task : tasks) {
      message.addPutTasks(TaskAssignment.newBuilder().setId(task).setRegistryAuth("secret"));
    }
    return message;
  }

  private static AssignmentSet applied(AssignmentSet set, AssignmentsMessage message, Set<String> running) {
    return ((Outcome.Applied) set.apply(message, running, false)).set();
  }

  @Test
  void completeThenDifferences() {
    AssignmentSet set = applied(AssignmentSet.empty(), message(5, true, "a", "b").build(), Set.of());
    set = applied(set, message(6, false, "c").addRemoveTasks("a").addPutNetworks(NetworkAssignment.newBuilder().setId("n")).build(), Set.of());
    assertThat(set.tasks().keySet()).containsExactly("b", "c");
    assertThat(set.networks().keySet()).containsExactly("n");
    set = applied(set, message(7, true, "z").build(), Set.of());
    assertThat(set.tasks().keySet()).containsExactly("z");
    assertThat(set.networks()).isEmpty();
  }

  @Test
  void anOlderSetAndADifferenceToAnotherEpochAreRefused() {
    AssignmentSet set = applied(AssignmentSet.empty(), message(5, true, "a").build(), Set.of());
    assertThat(set.apply(message(4, true).build(), Set.of(), true)).isInstanceOf(Outcome.Refused.class);
    assertThat(set.apply(message(4, false).build(), Set.of(), true)).isInstanceOf(Outcome.Refused.class);
    assertThat(set.apply(message(9, false).setEpoch("other").build(), Set.of(), true)).isInstanceOf(Outcome.Refused.class);
    assertThat(set.apply(message(1, true, "a").setEpoch("restored").build(), Set.of("a"), false)).isInstanceOf(Outcome.Applied.class);
  }

  @Test
  void removingMoreThanHalfOfWhatRunsIsBelievedOnlyWhenConfirmed() {
    AssignmentSet set = applied(AssignmentSet.empty(), message(5, true, "a", "b", "c", "d").build(), Set.of());
    Set<String> running = Set.of("a", "b", "c", "d");
    assertThat(set.apply(message(6, true, "a", "b").build(), running, false)).isInstanceOf(Outcome.Applied.class);
    assertThat(set.apply(message(6, true, "a").build(), running, false)).isInstanceOf(Outcome.Unconfirmed.class);
    assertThat(set.apply(message(6, true, "a").build(), running, true)).isInstanceOf(Outcome.Applied.class);
    assertThat(set.apply(message(6, true).build(), Set.of(), false)).as("nothing runs").isInstanceOf(Outcome.Applied.class);
  }

  @Test
  void diskHoldsProgressAndNoCredentials() {
    AssignmentSet set = applied(AssignmentSet.empty(), message(5, true, "a").build(), Set.of());
    AssignmentsMessage durable = set.durable(id -> TaskStatusRow.newBuilder().setTaskId(id).setState(TaskState.TASK_RUNNING).build());
    assertThat(durable.toString()).doesNotContain("secret");
    AssignmentSet back = AssignmentSet.ofDurable(durable);
    assertThat(back.revision()).isEqualTo(5);
    assertThat(back.tasks().get("a").getLastStatus().getState()).isEqualTo(TaskState.TASK_RUNNING);
  }
}
