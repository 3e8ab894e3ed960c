package dev.skep.runtime.loop;

import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.IdSource;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.RolloutRow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/** A loop over a store in one thread. */
abstract class LoopFixture {
  static final Instant START = Instant.parse("2026-11-21T00:00:00Z");
  static final Key<LeaderRow> LEADER = Rows.LEADER.key("test");

  final MemoryStore store = new MemoryStore();
  final List<Delta> asked = new ArrayList<>();
  Function<ClusterState, Decision> decide = state -> Decision.NOTHING;
  final LoopCore core = core("me", true);
  long seen;
  Instant now = START;

  LoopCore core(String holder, boolean sole) {
    Decider decider = (state, since, tick) -> {
      asked.add(since);
      return decide.apply(state);
    };
    return new LoopCore("test", new LoopCore.Candidate(holder, "here", sole), decider, new IdSource(new SplittableRandom(1)));
  }

  static Key<RolloutRow> rollout(String id) {
    return Rows.ROLLOUT.key(id);
  }

  static ChangeSet.Builder set(String id) {
    return ChangeSet.about(id).put(rollout(id), RolloutRow.getDefaultInstance());
  }

  /** Wants a rollout row for each id, with these sets, until they are there. */
  static Function<ClusterState, Decision> wanting(List<ChangeSet.Builder> sets) {
    return state -> {
      Decision.Builder decision = Decision.builder();
      sets.stream().map(ChangeSet.Builder::build).filter(set -> !state.has(set.writes().getFirst().key())).forEach(set ->
          decision.change(rebuilt(set)));
      return decision.build();
    };
  }

  static ChangeSet.Builder rebuilt(ChangeSet set) {
    ChangeSet.Builder builder = set(set.about());
    set.guards().forEach(guard -> builder.present(guard.key()));
    return builder;
  }

  void show() {
    if (store.revision() == 0) {
      core.viewMoved(store.state(), List.of(), true);
    }
    while (seen < store.revision()) {
      seen++;
      core.viewMoved(store.step(seen).state(), store.step(seen).changes(), false);
    }
  }

  Action.Commit nextCommit() {
    return (Action.Commit) core.next(now);
  }

  void land(Action.Commit commit) {
    core.committed(store.commit(commit.transaction()));
  }

  /** Runs until the loop sleeps although it sees everything; returns that sleep. */
  Action.Sleep settle() {
    show();
    while (true) {
      switch (core.next(now)) {
        case Action.Commit commit -> land(commit);
        case Action.ReadLeader read -> core.leaderRead(store.get(read.key()));
        case Action.Sleep sleep -> {
          if (seen == store.revision()) {
            return sleep;
          }
          show();
        }
      }
    }
  }
}
