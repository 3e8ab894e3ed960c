package dev.skep.testkit.gen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.IdSource;
import dev.skep.state.Tick;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * Deciders at work on one small cluster: a test changes rows, lets them settle, and looks at what they wrote. Every step
 * is decided from what changed and once more from everything, and both must come to the same.
 */
public final class Bench {
  private static final int ROUNDS = 100;

  private final StateBuilder cluster = new StateBuilder();
  private final List<Decider> deciders;
  private final List<Delta> unseen = new ArrayList<>(); // by decider
  private final Map<String, String> quarantined = new TreeMap<>();
  private Instant now = Clusters.START;
  private Instant wakeAt;
  private long decided;

  public Bench(Decider... deciders) {
    this.deciders = List.of(deciders);
    this.deciders.forEach(decider -> unseen.add(Delta.EVERYTHING));
  }

  public StateBuilder cluster() {
    return cluster;
  }

  public ClusterState state() {
    return cluster.state();
  }

  public Instant now() {
    return now;
  }

  /** When a decider asked to be asked again, if any did. */
  public Optional<Instant> wakeAt() {
    return Optional.ofNullable(wakeAt);
  }

  /** What could not be decided about in the last round, with the reasons. */
  public Map<String, String> quarantined() {
    return quarantined;
  }

  public Bench pass(Duration time) {
    now = now.plus(time);
    return this;
  }

  /** Lets the deciders act on each other until none of them wants anything more; tells how many change sets that took. */
  public int settle() {
    int landed = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int before = landed;
      wakeAt = null;
      quarantined.clear();
      for (int i = 0; i < deciders.size(); i++) {
        landed += step(i);
      }
      if (landed == before) {
        return landed;
      }
    }
    throw new AssertionError("no rest after " + ROUNDS + " rounds");
  }

  private int step(int which) {
    hand(cluster.takeDelta());
    Delta since = unseen.set(which, Delta.NOTHING);
    Decision decision = decide(deciders.get(which), since);
    Decision fromAll = decide(deciders.get(which), Delta.EVERYTHING);
    assertThat(decision.changes()).as("decided from what changed, against decided from everything").isEqualTo(fromAll.changes());
    assertThat(decision.wakeAt()).as("waking from what changed, against from everything").isEqualTo(fromAll.wakeAt());
    decided++;
    assertThat(cluster.apply(decision)).as("refused change sets").isZero();
    hand(cluster.takeDelta());
    decision.wakeAt().ifPresent(time -> wakeAt = wakeAt == null || time.isBefore(wakeAt) ? time : wakeAt);
    quarantined.putAll(fromAll.quarantined());
    return decision.changes().size();
  }

  private void hand(Delta changes) {
    unseen.replaceAll(delta -> delta.then(changes));
  }

  private Decision decide(Decider decider, Delta since) {
    return decider.decide(state(), since, new Tick(now, new IdSource(new Random(decided))));
  }
}
