package dev.skep.skepd.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import dev.skep.backend.Store.Change;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Those who judge a round of faults see each of what must not be. */
class JudgesTest {
  private final History history = new History();
  private final Ledger ledger = new Ledger();
  private long revision;

  private <T extends Message> Change put(Key<T> key, T value) {
    return new Change(key.path(), value.toByteArray(), revision + 1, revision + 1);
  }

  private void written(Change... changes) {
    history.changed(++revision, List.of(changes));
  }

  private Change leader(String holder, long commits) {
    return put(Rows.LEADER.key("scheduler"), LeaderRow.newBuilder().setHolder(holder).setCommits(commits).build());
  }

  private Change decision(String task) {
    return put(Rows.PLACEMENT.key(task), PlacementRow.newBuilder().setTaskId(task).setNodeId("n1").build());
  }

  private void task(String id, int slot, TaskState desired) {
    written(put(Rows.INTENT.key(id), TaskIntentRow.newBuilder().setId(id).setServiceName("web").setSlot(slot).setDesired(desired).build()));
  }

  private List<String> doubles() {
    return Doubles.of(ledger.events(), history);
  }

  @Test
  void aHolderThatGoesOnIsInOrder() {
    written(leader("a", 1));
    written(leader("a", 2), decision("t1"));
    written(leader("b", 3)); // takes over
    written(leader("b", 4), decision("t1"));
    assertThat(history.violations()).isEmpty();
    assertThat(history.holders("scheduler")).isEqualTo(2);
  }

  @Test
  void aDecisionOfWhoeverIsNotTheHolderIsSeen() {
    written(leader("a", 1));
    written(leader("b", 2));
    written(leader("a", 3), decision("t1"));
    assertThat(history.violations()).singleElement().asString().contains("revision 3 holds a decision of scheduler that is not the next of its holder");
  }

  @Test
  void aDecisionThatIsNotTheNextCommitIsSeen() {
    written(leader("a", 1));
    written(leader("a", 3), decision("t1"));
    written(decision("t2"));
    assertThat(history.violations()).hasSize(2).allSatisfy(said -> assertThat(said).contains("not the next of its holder"));
  }

  @Test
  void aDecisionBeforeAnyHolderIsSeen() {
    written(leader("a", 1), decision("t1"));
    assertThat(history.violations()).hasSize(1);
  }

  @Test
  void revisionsOutOfOrderAndALostWatchAreSeen() {
    history.changed(5, List.of());
    history.changed(5, List.of());
    history.compacted(9);
    assertThat(history.violations()).containsExactly("revision 5 came after 5", "the watch of the whole history fell behind: 5 was followed by 9");
  }

  @Test
  void aNodeThatIsTakenForDeadIsSeen() {
    written(put(Rows.NODE_STATUS.key("n1"), NodeStatusRow.newBuilder().setNodeId("n1").setState("down").setMessage("silent").build()));
    assertThat(history.violations()).containsExactly("node n1 was taken for dead at revision 1: silent");
  }

  @Test
  void aTaskThatRunsOnceIsInOrder() {
    task("t1", 1, TaskState.TASK_RUNNING);
    task("t2", 1, TaskState.TASK_RUNNING);
    ledger.seen("n1", "t1", "start");
    ledger.seen("n1", "t1", "die");
    ledger.seen("n2", "t2", "start");
    assertThat(doubles()).isEmpty();
    assertThat(ledger.running()).containsExactly("t2");
  }

  @Test
  void aTaskThatIsStartedAgainIsSeen() {
    task("t1", 1, TaskState.TASK_RUNNING);
    ledger.seen("n1", "t1", "start");
    ledger.seen("n1", "t1", "die");
    ledger.seen("n2", "t1", "start");
    assertThat(doubles()).containsExactly("task t1 of web.1 was started again, on n2");
  }

  @Test
  void twoRunningTasksOfOneSlotAreSeen() {
    task("t1", 1, TaskState.TASK_RUNNING);
    task("t2", 1, TaskState.TASK_RUNNING);
    task("t3", 2, TaskState.TASK_RUNNING);
    ledger.seen("n1", "t1", "start");
    ledger.seen("n1", "t3", "start");
    ledger.seen("n2", "t2", "start");
    assertThat(doubles()).containsExactly("web.1 had two running tasks: t1 and t2");
  }

  /** They scaled it down and up again, and the older container takes its time to stop. */
  @Test
  void aSlotThatUsersGaveUpAndTookAgainIsInOrder() {
    task("t1", 1, TaskState.TASK_RUNNING);
    task("t1", 1, TaskState.TASK_REMOVE);
    task("t2", 1, TaskState.TASK_RUNNING);
    ledger.seen("n1", "t1", "start");
    ledger.seen("n2", "t2", "start");
    assertThat(doubles()).isEmpty();
  }

  @Test
  void aTaskThatTheStoreNeverHeldIsSeen() {
    ledger.seen("n1", "ghost", "start");
    assertThat(doubles()).containsExactly("n1 ran a task that the store never held: ghost");
  }
}
