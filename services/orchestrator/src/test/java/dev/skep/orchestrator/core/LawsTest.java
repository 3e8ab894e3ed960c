package dev.skep.orchestrator.core;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.state.ChangeSet;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.Rows;
import dev.skep.testkit.gen.Clusters;
import dev.skep.testkit.gen.StateBuilder;
import dev.skep.testkit.laws.DeciderLaws;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LawsTest {
  private static final int SEEDS = Integer.getInteger("skep.seeds", 1_000);

  @Test
  void holdOnGeneratedStates() {
    DeciderLaws laws = new DeciderLaws("orchestrator", new OrchestratorDecider());
    for (long seed = 0; seed < SEEDS; seed++) {
      laws.check(seed, Clusters.generate(seed), LawsTest::disturb, 6, Clusters.START);
    }
  }

  private static void disturb(StateBuilder cluster, Random random, Instant now) {
    Clusters.users(cluster, random, now);
    Clusters.placing(cluster, random, now);
    Clusters.nodes(cluster, random, now);
  }

  /** A decider that forgets to look at what nodes report: the narrow law must find it. */
  @Test
  void aDeciderThatOverlooksReportsBreaksThem() {
    Decider decider = new OrchestratorDecider();
    Decider blind =
        (state, since, tick) -> {
          boolean onlyReports = !since.everything() && !since.changes().isEmpty() && since.changes().stream().allMatch(change -> change.of(Rows.STATUS));
          return decider.decide(state, onlyReports ? Delta.NOTHING : since, tick);
        };
    breaks(blind, "narrow");
  }

  /** One that stops in the middle leaves something to decide: the settled law must find it. */
  @Test
  void aDeciderThatDoesOnlyTheFirstStepBreaksThem() {
    Decider decider = new OrchestratorDecider();
    breaks(
        (state, since, tick) -> {
          Decision whole = decider.decide(state, since, tick);
          List<ChangeSet> first = whole.changes().subList(0, Math.min(1, whole.changes().size()));
          return new Decision(first, whole.wakeAt(), whole.quarantined());
        },
        "settled");
  }

  private static void breaks(Decider decider, String law) {
    DeciderLaws laws = new DeciderLaws("broken", decider);
    assertThatThrownBy(() -> {
      for (long seed = 0; seed < SEEDS; seed++) {
        laws.check(seed, Clusters.generate(seed), LawsTest::disturb, 6, Clusters.START);
      }
    }).isInstanceOf(AssertionError.class).hasMessageContaining("broken " + law);
  }
}
