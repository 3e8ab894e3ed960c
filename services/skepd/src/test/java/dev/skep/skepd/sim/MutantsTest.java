package dev.skep.skepd.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The simulator finds every bug that is planted. One that it does not find would be a law that nobody holds. */
@Tag("slow")
final class MutantsTest {
  private static final int MOST_SEEDS = 400;

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void isFound(Mutant mutant) {
    Sim.Result found = null;
    for (long seed = 1; seed <= MOST_SEEDS && found == null; seed++) {
      Sim.Result result = Sim.run(seed, mutant, false);
      found = result.failed() ? result : null;
    }
    assertThat(found).as("%s within %d seeds", mutant, MOST_SEEDS).isNotNull();
  }
}
