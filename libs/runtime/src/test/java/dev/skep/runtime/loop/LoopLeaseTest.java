package dev.skep.runtime.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Outcome;
import dev.skep.state.Rows;
import dev.skep.state.v1.ServiceRow;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a loop does with the lease on which its row hangs. */
class LoopLeaseTest extends LoopFixture {
  private static Optional<LoopCore.Standing> lease(long id) {
    return Optional.of(new LoopCore.Standing("here", id));
  }

  private static long leaseOf(Action.Commit commit) {
    return commit.transaction().operations().stream()
        .filter(operation -> operation.key().equals(LEADER.path()))
        .mapToLong(operation -> ((Store.Operation.Put) operation).leaseId()).sum();
  }

  @Test
  void theRowHangsOnTheLeaseWithEveryCommit() {
    core.stands(lease(7));
    show();
    Action.Commit won = nextCommit();
    assertThat(leaseOf(won)).isEqualTo(7);
    land(won);
    show();
    store.put(Rows.SERVICE.key("s"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("s")));
    show();
    assertThat(leaseOf(nextCommit())).isEqualTo(7);
  }

  @Test
  void withoutALeaseNothingIsWritten() {
    core.stands(Optional.empty());
    show();
    assertThat(core.next(now)).isEqualTo(new Action.Sleep(Optional.empty()));
    core.stands(lease(7));
    settle();
    assertThat(core.leading()).isTrue();
    core.stands(Optional.empty());
    assertThat(core.leading()).isFalse();
    assertThat(core.won()).isEmpty();
    store.put(Rows.SERVICE.key("s"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("s")));
    show();
    assertThat(core.next(now)).isEqualTo(new Action.Sleep(Optional.empty()));
  }

  @Test
  void whoLostTheLeaseWinsAnewBeforeItDecides() {
    core.stands(lease(7));
    settle();
    store.put(Rows.SERVICE.key("s"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("s")));
    show();
    Action.Commit late = nextCommit();
    core.stands(Optional.empty());
    core.unknown();
    core.stands(lease(8));
    now = now.plusMillis(10);
    core.leaderRead(store.get(((Action.ReadLeader) core.next(now)).key()));
    assertThat(core.leading()).as("the row is its own, and hangs on the lost lease").isFalse();
    Action.Commit campaign = nextCommit();
    assertThat(leaseOf(campaign)).isEqualTo(8);
    assertThat(campaign.transaction().operations()).as("only the row").hasSize(1);
    store.commit(campaign.transaction());
    assertThat(store.commit(late.transaction())).as("what it sent under the lost lease").isInstanceOf(Outcome.Conflict.class);
    core.committed(new Outcome.Committed(store.revision()));
    settle();
    assertThat(store.state().has(rollout("s"))).isTrue();
    assertThat(core.won()).hasValue(store.state().row(LEADER).modRevision());
  }

  @Test
  void aLeaseThatChangesWhileACommitIsUnderWayIsUsedAfterIt() {
    core.stands(lease(7));
    settle();
    store.put(Rows.SERVICE.key("s"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("s"), set("t")));
    show();
    Action.Commit commit = nextCommit();
    core.stands(lease(8));
    store.delete(LEADER); // the lost lease took the row with it
    land(commit); // a conflict
    settle();
    assertThat(core.leading()).isTrue();
    assertThat(store.state().has(rollout("s"))).isTrue();
    assertThat(store.state().has(rollout("t"))).isTrue();
  }

  @Test
  void whenTheRowVanishesTheOthersCampaign() {
    LoopCore first = core("first", false);
    first.stands(lease(7));
    first.viewMoved(store.state(), List.of(), true);
    first.committed(store.commit(((Action.Commit) first.next(now)).transaction()));
    assertThat(first.leading()).isTrue();
    LoopCore standby = core("standby", false);
    standby.stands(lease(9));
    standby.viewMoved(store.state(), List.of(), true);
    assertThat(standby.next(now)).isEqualTo(new Action.Sleep(Optional.empty()));
    store.delete(LEADER);
    standby.viewMoved(store.state(), List.of(), false);
    Action.Commit campaign = (Action.Commit) standby.next(now);
    assertThat(leaseOf(campaign)).isEqualTo(9);
    standby.committed(store.commit(campaign.transaction()));
    assertThat(standby.leading()).isTrue();
    first.viewMoved(store.state(), List.of(), true);
    assertThat(first.next(now)).as("the frozen one wakes").isEqualTo(new Action.Sleep(Optional.empty()));
    assertThat(first.leading()).isFalse();
  }
}
