package dev.skep.agent.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When a node leaves a dispatcher that has lost the store, and when it stays. */
class SearchTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private static Instant at(long millis) {
    return START.plusMillis(millis);
  }

  @Test
  void whileNobodyHasTheStoreItAsksMoreAndMoreSeldomAndStays() {
    Search search = Search.NONE;
    List<Long> asked = new ArrayList<>();
    for (long now = 0; now <= 8_000; now += 250) {
      search = search.lost(at(now));
      if (search.asks(at(now))) {
        asked.add(now);
        search = search.asked(at(now));
      }
      assertThat(search.sure(at(now))).isFalse();
    }
    assertThat(asked).containsExactly(0L, 500L, 1_500L, 3_500L, 5_500L, 7_500L);
  }

  @Test
  void itGoesAtTheSecondWord() {
    Search search = Search.NONE.lost(START).asked(START).found(at(10));
    assertThat(search.sure(at(10))).isFalse();
    assertThat(search.found(at(20)).sure(at(20))).as("another one has it, too").isFalse();
    assertThat(search.lost(at(900)).asks(at(900))).isFalse();
    assertThat(search.asks(at(1_010))).isTrue();
    search = search.lost(at(1_010)).asked(at(1_010));
    assertThat(search.sure(at(1_010))).as("nobody has said so again").isFalse();
    assertThat(search.found(at(1_030)).sure(at(1_030))).isTrue();
  }

  @Test
  void aWordThatIsNotRepeatedIsForgotten() {
    Search search = Search.NONE.lost(START).asked(START).found(at(10)).asked(at(1_010)).asked(at(1_510)).found(at(1_520));
    assertThat(search.sure(at(1_520))).isFalse();
    assertThat(search.asked(at(2_520)).found(at(2_530)).sure(at(2_530))).isTrue();
  }

  @Test
  void aClockThatIsSetBackEndsNoSearch() {
    Search search = Search.NONE.lost(START).asked(START).found(at(10));
    Instant earlier = START.minus(Duration.ofHours(1));
    assertThat(search.asks(earlier)).isTrue();
    search = search.asked(earlier).found(earlier.plusMillis(20));
    assertThat(search.sure(earlier.plusMillis(20))).isFalse();
    search = search.asked(earlier.plusMillis(1_020)).found(earlier.plusMillis(1_030));
    assertThat(search.sure(earlier.plusMillis(1_030))).isTrue();
  }

  @Test
  void anAnswerThatComesWhenTheSearchIsOverMeansNothing() {
    assertThat(Search.NONE.found(START)).isEqualTo(Search.NONE);
    assertThat(Search.NONE.asks(START)).isFalse();
  }
}
