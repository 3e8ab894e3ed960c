package dev.skep.skepd.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Random histories of a whole cluster: what must always hold holds, and all comes to rest when faults stop. */
final class SimulationTest {
  private static final int FEW = 150;
  private static final int MANY = 3_500;

  @Test
  void aFewHistories() {
    run(LongStream.rangeClosed(1, FEW));
  }

  @Test
  @Tag("slow")
  void manyHistories() {
    run(LongStream.rangeClosed(FEW + 1, FEW + MANY).parallel());
  }

  @Test
  void oneSeedIsOneHistory() {
    for (long seed = 1; seed <= 10; seed++) {
      Sim.Result once = Sim.run(seed);
      Sim.Result again = Sim.run(seed);
      assertThat(again.hash()).as("seed %d", seed).isEqualTo(once.hash());
      assertThat(again.events()).isEqualTo(once.events());
    }
  }

  private static void run(LongStream seeds) {
    Sim.Result failed = seeds.mapToObj(Sim::run).filter(Sim.Result::failed).findAny().orElse(null);
    assertThat(failed == null ? "" : failed.report()).isEmpty();
  }
}
