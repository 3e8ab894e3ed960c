package dev.skep.skepd.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
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
    boolean found = LongStream.rangeClosed(1, MOST_SEEDS).unordered().parallel().anyMatch(seed -> Sim.run(seed, mutant, false).failed());
    assertThat(found).as("%s within %d seeds", mutant, MOST_SEEDS).isTrue();
  }
}
