package dev.skep.dispatcher.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.IdSource;
import dev.skep.state.Tick;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What is computed from a move of the state equals what is computed from the whole state. */
class NarrowTest {
  private static final int SEEDS = 60;
  private static final int STEPS = 150;
  private static final int NODES = 4;
  private static final Instant START = Instant.ofEpochSecond(1_000_000);

  @Test
  void assignmentsFollowTheState() {
    for (long seed = 0; seed < SEEDS; seed++) {
      Walk walk = new Walk(seed, NODES, 4, 14, 3);
      Withdrawals withdrawals = Withdrawals.NONE;
      Map<String, AssignmentSet> sets = new HashMap<>();
      Map<String, AssignmentSet> received = new HashMap<>();
      for (int i = 0; i < NODES; i++) {
        sets.put("n" + i, AssignmentSet.empty("n" + i));
        received.put("n" + i, AssignmentSet.empty("n" + i));
      }
      Instant now = START;
      for (int step = 0; step < STEPS; step++) {
        ClusterState.Step move = walk.step();
        now = now.plusMillis(walk.random().nextInt(1_500));
        Withdrawals before = withdrawals;
        withdrawals = withdrawals.moved(move.state(), move.changes(), now).released(List.of(walk.random().nextLong(step + 2L)), now);
        Concerns changes = Concerns.of(move.state(), move.changes());
        Concerns held = Concerns.ofTasks(move.state(), withdrawals.changedFrom(before));
        for (String node : sets.keySet()) {
          AssignmentSet old = sets.get(node);
          AssignmentSet updated = Assignments.update(old, move.state(), changes.of(node).and(held.of(node)), withdrawals);
          assertThat(updated).as("seed %d, step %d, node %s", seed, step, node).isEqualTo(Assignments.of(move.state(), node, withdrawals));
          Optional<AssignmentsMessage> message = Assignments.difference(move.state(), old, updated);
          message.ifPresent(difference -> received.put(node, Assignments.applied(received.get(node), difference)));
          assertThat(received.get(node)).as("seed %d, step %d, node %s", seed, step, node).isEqualTo(updated);
          sets.put(node, updated);
        }
      }
      ClusterState state = walk.state();
      sets.forEach((node, set) ->
          assertThat(Assignments.applied(AssignmentSet.empty(node), Assignments.complete(state, set))).isEqualTo(set));
    }
  }

  @Test
  void theFeedFollowsTheState() {
    for (long seed = 0; seed < SEEDS; seed++) {
      Walk walk = new Walk(seed, NODES, 4, 14, 3);
      TreeMap<String, FeedEntry> feed = new TreeMap<>(FeedView.all(walk.state()));
      for (int step = 0; step < STEPS; step++) {
        ClusterState.Step move = walk.step();
        TreeMap<String, FeedEntry> now = new TreeMap<>(FeedView.all(move.state()));
        FeedUpdate update = FeedKeys.difference(move.state(), now, FeedKeys.concerned(move.state(), move.changes()));
        update.getRemoveList().forEach(feed::remove);
        update.getPutList().forEach(entry -> feed.put(entry.getKey(), entry));
        assertThat(feed).as("seed %d, step %d", seed, step).isEqualTo(now);
      }
    }
  }

  @Test
  void orphansAreRepeatableSettledAndNarrow() {
    Orphans orphans = new Orphans();
    Instant now = START.plusSeconds(100_000_000);
    for (long seed = 0; seed < SEEDS; seed++) {
      Walk walk = new Walk(seed, NODES, 4, 14, 3);
      settle(orphans, walk, now);
      for (int step = 0; step < STEPS; step++) {
        ClusterState.Step move = walk.step();
        Tick tick = new Tick(now, new IdSource(new Random(1)));
        Decision narrow = orphans.decide(move.state(), Delta.of(move.changes()), tick);
        assertThat(narrow).as("seed %d, step %d", seed, step).isEqualTo(orphans.decide(move.state(), Delta.EVERYTHING, tick));
        settle(orphans, walk, now);
      }
    }
  }

  private static void settle(Orphans orphans, Walk walk, Instant now) {
    Tick tick = new Tick(now, new IdSource(new Random(1)));
    for (ChangeSet change : orphans.decide(walk.state(), Delta.EVERYTHING, tick).changes()) {
      walk.apply(change);
    }
    assertThat(orphans.decide(walk.state(), Delta.EVERYTHING, tick).changes()).isEmpty();
  }
}
