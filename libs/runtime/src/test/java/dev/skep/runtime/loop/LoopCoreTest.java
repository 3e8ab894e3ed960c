package dev.skep.runtime.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Store.Outcome;
import dev.skep.state.ChangeSet;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceRow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LoopCoreTest extends LoopFixture {
  @Test
  void itWinsTheRowAndThenDecidesAboutEverything() {
    show();
    land(nextCommit());
    assertThat(core.next(now)).isEqualTo(new Action.Sleep(Optional.empty()));
    assertThat(asked).as("before the view shows that it won").isEmpty();
    show();
    core.next(now);
    assertThat(asked).containsExactly(Delta.EVERYTHING);
    assertThat(core.leading()).isTrue();
  }

  @Test
  void itDecidesOnlyWhenItSeesItsOwnCommit() {
    settle();
    store.put(Rows.SERVICE.key("s"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("s")));
    show();
    Action.Commit commit = nextCommit();
    int before = asked.size();
    store.put(Rows.SERVICE.key("t"), ServiceRow.getDefaultInstance());
    show();
    land(commit);
    assertThat(core.next(now)).isEqualTo(new Action.Sleep(Optional.empty()));
    assertThat(asked).hasSize(before);
    settle();
    assertThat(asked).hasSize(before + 1);
    assertThat(asked.getLast().changes()).extracting(change -> change.key().lastPart()).containsExactly("t", "s");
  }

  @Test
  void manyChangesGoInTransactionsOf100OperationsWithoutWaitingForTheView() {
    decide = wanting(java.util.stream.IntStream.range(0, 250).mapToObj(i -> set("s" + i)).toList());
    show();
    land(nextCommit());
    show();
    for (int size : List.of(100, 100, 50)) {
      Action.Commit commit = nextCommit();
      assertThat(commit.transaction().operations()).hasSize(size + 1);
      land(commit);
    }
    settle();
    assertThat(store.state().value(LEADER).getCommits()).isEqualTo(4);
  }

  @Test
  void aSetThatTouchesWhatAnEarlierOneWritesComesInTheNextTransaction() {
    decide = state -> state.has(rollout("a")) ? Decision.NOTHING : Decision.builder()
        .change(set("a")).change(ChangeSet.about("b").put(rollout("b"), RolloutRow.getDefaultInstance()).present(rollout("a"))).build();
    settle();
    assertThat(store.state().has(rollout("b"))).isTrue();
    assertThat(core.counts().conflicts()).isZero();
  }

  @Test
  void whatComesBeforeAConflictLandsAndTheRestIsDecidedAgain() {
    settle();
    Key<ServiceRow> parent = Rows.SERVICE.key("parent");
    store.put(parent, ServiceRow.getDefaultInstance());
    decide = state -> {
      List<ChangeSet.Builder> sets = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        if (i != 6 || state.has(parent)) {
          sets.add(i == 6 ? set("s6").present(parent) : set("s" + i));
        }
      }
      return wanting(sets).apply(state);
    };
    show();
    store.delete(parent);
    while (core.next(now) instanceof Action.Commit commit) {
      land(commit);
    }
    assertThat(store.state().has(rollout("s5"))).isTrue();
    assertThat(store.state().has(rollout("s7"))).as("nothing lands before what the decider put before it").isFalse();
    settle();
    for (int i = 0; i < 10; i++) {
      assertThat(store.state().has(rollout("s" + i))).as("s" + i).isEqualTo(i != 6);
    }
  }

  @Test
  void aSetThatNeverLandsIsPassedOverAndShown() {
    decide = wanting(List.of(set("a"), set("bad").present(Rows.SERVICE.key("nowhere")), set("z")));
    for (int i = 0; i < 10 && !store.state().has(rollout("z")); i++) {
      Action.Sleep sleep = settle();
      now = sleep.until().orElse(now);
    }
    assertThat(store.state().has(rollout("z"))).isTrue();
    assertThat(core.quarantined()).containsOnlyKeys("bad");
    Action.Sleep sleep = settle();
    assertThat(sleep.until()).as("it is tried again later").isPresent();
    store.put(Rows.SERVICE.key("nowhere"), ServiceRow.getDefaultInstance());
    settle();
    now = now.plusSeconds(5);
    settle();
    assertThat(store.state().has(rollout("bad"))).isTrue();
    assertThat(core.quarantined()).isEmpty();
  }

  @Test
  void afterAnUnknownOutcomeTheLeaderRowTells() {
    settle();
    store.put(Rows.SERVICE.key("s"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("s")));
    show();
    Action.Commit lost = nextCommit();
    core.unknown();
    now = now.plusMillis(10);
    core.leaderRead(store.get(((Action.ReadLeader) core.next(now)).key()));
    Action.Commit again = nextCommit();
    land(again);
    assertThat(store.commit(lost.transaction())).as("the first one, late").isInstanceOf(Outcome.Conflict.class);

    store.put(Rows.SERVICE.key("t"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("t")));
    show();
    Action.Commit landed = nextCommit();
    store.commit(landed.transaction());
    core.unknown();
    now = now.plusMillis(10);
    core.leaderRead(store.get(((Action.ReadLeader) core.next(now)).key()));
    assertThat(core.next(now)).as("not before it sees what landed").isEqualTo(new Action.Sleep(Optional.empty()));
    long before = store.revision();
    settle();
    assertThat(store.revision()).isEqualTo(before);
  }

  @Test
  void aCommitThatLandsLateIsNoticedInTheView() {
    settle();
    store.put(Rows.SERVICE.key("s"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("s")));
    show();
    Action.Commit late = nextCommit();
    core.unknown();
    now = now.plusMillis(10);
    core.leaderRead(store.get(((Action.ReadLeader) core.next(now)).key()));
    Action.Commit again = nextCommit();
    store.commit(late.transaction());
    land(again);
    settle();
    store.put(Rows.SERVICE.key("t"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("s"), set("t")));
    settle();
    assertThat(store.state().has(rollout("t"))).isTrue();
  }

  @Test
  void aLoopThatLostItsRowIsFencedAndFollows() {
    settle();
    store.put(Rows.SERVICE.key("s"), ServiceRow.getDefaultInstance());
    decide = wanting(List.of(set("s")));
    show();
    Action.Commit fenced = nextCommit();
    store.put(LEADER, LeaderRow.newBuilder().setHolder("other").setCommits(1).build());
    LoopCore follower = core("follower", false);
    follower.viewMoved(store.state(), List.of(), true);
    assertThat(follower.next(now)).isEqualTo(new Action.Sleep(Optional.empty()));
    assertThat(store.commit(fenced.transaction())).isInstanceOf(Outcome.Conflict.class);
    follower.holderGone(store.state().row(LEADER).modRevision());
    assertThat(follower.next(now)).isInstanceOf(Action.Commit.class);
  }

  @Test
  void aWakeAsksAboutEverythingAtItsTime() {
    Instant early = START.plusSeconds(5);
    Instant late = START.plusSeconds(60);
    decide = state -> Decision.builder().wakeAt(early).build();
    assertThat(settle().until()).contains(early);
    decide = state -> Decision.builder().wakeAt(late).build();
    store.put(Rows.SERVICE.key("s"), ServiceRow.getDefaultInstance());
    assertThat(settle().until()).as("a decision about a part does not cancel a wait of another part").contains(early);
    now = early;
    assertThat(settle().until()).contains(late);
    assertThat(asked.getLast()).isEqualTo(Delta.EVERYTHING);
    decide = state -> Decision.builder().wakeAt(START).build();
    core.wake();
    assertThat(settle().until().orElseThrow()).as("the past does not make it spin").isAfter(now);
  }

  /** Else a wait of seconds would last for as long as the clock was ahead. */
  @Test
  void aClockThatIsSetBackAsksAboutEverythingAgain() {
    decide = state -> Decision.builder().wakeAt(now.plusSeconds(5)).build();
    now = START.plus(Duration.ofHours(1));
    settle();
    now = START;
    assertThat(settle().until()).contains(START.plusSeconds(5));
    assertThat(asked.getLast()).isEqualTo(Delta.EVERYTHING);
  }

  @Test
  void leaderRowsAloneWakeNoDecider() {
    settle();
    int before = asked.size();
    store.put(Rows.LEADER.key("another"), LeaderRow.getDefaultInstance());
    settle();
    assertThat(asked).hasSize(before);
  }

  @Test
  void aDecidersQuarantineIsShownUntilItDecides() {
    decide = state -> Decision.builder().quarantine("s", "a reason").build();
    settle();
    assertThat(core.quarantined()).containsEntry("s", "a reason");
    decide = state -> Decision.NOTHING;
    core.wake();
    settle();
    assertThat(core.quarantined()).isEmpty();
  }
}
