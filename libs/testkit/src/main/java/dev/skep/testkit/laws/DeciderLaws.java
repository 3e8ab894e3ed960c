package dev.skep.testkit.laws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.IdSource;
import dev.skep.state.Tick;
import dev.skep.testkit.gen.StateBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;

/**
 * Checks the laws of deciders on one cluster and a course of disturbances. Repeatable: same input, same output.
 * Settled: what was decided and has landed leaves nothing to decide. Narrow: deciding from what changed equals deciding
 * from everything, the time to wake up included.
 */
public final class DeciderLaws {
  /** Changes rows as other services and users would. Must draw all chance from {@code random}. */
  @FunctionalInterface
  public interface Disturbance {
    void apply(StateBuilder cluster, Random random, Instant now);
  }

  private final String name;
  private final Decider decider;

  public DeciderLaws(String name, Decider decider) {
    this.name = name;
    this.decider = decider;
  }

  /** Runs through {@code rounds} disturbances; every failure names the seed. */
  public void check(long seed, StateBuilder cluster, Disturbance disturbance, int rounds, Instant start) {
    Random random = new Random(seed);
    Instant now = start;
    cluster.takeDelta();
    land(seed, -1, cluster, Delta.EVERYTHING, now);
    for (int round = 0; round < rounds; round++) {
      disturbance.apply(cluster, random, now);
      Delta delta = cluster.takeDelta();
      narrow(seed, round, cluster.state(), delta, now);
      land(seed, round, cluster, delta, now);
      // Time alone may make things due.
      now = now.plus(Duration.ofMillis(random.nextInt(8_000)));
      narrow(seed, round, cluster.state(), Delta.NOTHING, now);
      land(seed, round, cluster, Delta.NOTHING, now);
    }
  }

  private void land(long seed, int round, StateBuilder cluster, Delta since, Instant now) {
    Decision decision = decide(seed, cluster.state(), since, now);
    assertThat(decide(seed, cluster.state(), since, now)).as("%s repeatable, seed %d round %d", name, seed, round).isEqualTo(decision);
    assertThat(cluster.apply(decision)).as("%s: refused change sets, seed %d round %d", name, seed, round).isZero();
    Delta own = cluster.takeDelta();
    Decision again = decide(seed, cluster.state(), own, now);
    assertThat(again.changes()).as("%s settled, seed %d round %d", name, seed, round).isEmpty();
    Decision all = decide(seed, cluster.state(), Delta.EVERYTHING, now);
    assertThat(all.changes()).as("%s settled from everything, seed %d round %d", name, seed, round).isEmpty();
    assertThat(again.wakeAt()).as("%s wakes narrowly, seed %d round %d", name, seed, round).isEqualTo(all.wakeAt());
    all.wakeAt().ifPresent(wake -> assertThat(wake).as("%s wakes later, seed %d round %d", name, seed, round).isAfter(now));
  }

  private void narrow(long seed, int round, ClusterState state, Delta delta, Instant now) {
    Decision fromDelta = decide(seed, state, delta, now);
    Decision fromAll = decide(seed, state, Delta.EVERYTHING, now);
    assertThat(fromDelta.changes()).as("%s narrow, seed %d round %d", name, seed, round).isEqualTo(fromAll.changes());
    assertThat(fromDelta.wakeAt()).as("%s narrow wake, seed %d round %d", name, seed, round).isEqualTo(fromAll.wakeAt());
  }

  private Decision decide(long seed, ClusterState state, Delta since, Instant now) {
    // The same ids for the same state, and never those that an earlier decision has used.
    long ids = new Random(seed).nextLong() + state.revision();
    return decider.decide(state, since, new Tick(now, new IdSource(new Random(ids))));
  }
}
