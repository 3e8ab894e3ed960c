package dev.skep.runtime.view;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SourcesTest {
  private long now = Long.MAX_VALUE - Duration.ofSeconds(3).toNanos(); // such clocks may overflow
  private final Sources sources = new Sources(10, now);

  private void pass(Duration time) {
    now += time.toNanos();
  }

  private void pass(long millis) {
    pass(Duration.ofMillis(millis));
  }

  private boolean watching() {
    return sources.watching(now);
  }

  @Test
  void aLogThatHasEverythingIsEnough() {
    for (int i = 0; i < 100; i++) {
      pass(Duration.ofMinutes(1));
      sources.store(10 + i, now);
      pass(149);
      assertThat(watching()).isFalse();
      sources.log(10 + i, now);
      assertThat(watching()).isFalse();
    }
  }

  @Test
  void aLogThatIsLateBringsTheWatch() {
    sources.store(11, now);
    pass(100);
    sources.store(12, now);
    pass(50);
    assertThat(watching()).isFalse();
    pass(1);
    assertThat(watching()).isTrue();
  }

  @Test
  void aLogThatIsAlwaysALittleBehindIsNotLate() {
    for (int i = 0; i < 1000; i++) {
      sources.store(11 + i, now);
      sources.log(i + 8, now);
      pass(40);
      assertThat(watching()).as("at " + i).isFalse();
    }
  }

  @Test
  void theWatchGoesWhenTheLogWasOnTimeForAWhile() {
    sources.store(11, now);
    pass(151);
    assertThat(watching()).isTrue();
    sources.log(11, now);
    pass(Sources.CALM.minusMillis(1));
    assertThat(watching()).isTrue();
    sources.store(12, now);
    pass(151);
    assertThat(watching()).as("late once more").isTrue();
    sources.log(12, now);
    pass(Sources.CALM.minusMillis(1));
    assertThat(watching()).isTrue();
    pass(1);
    assertThat(watching()).isFalse();
  }

  @Test
  void aLogThatStandsStillKeepsTheWatch() {
    sources.store(11, now);
    for (int i = 0; i < 100; i++) {
      pass(1000);
      assertThat(watching()).isTrue();
    }
  }

  @Test
  void whatTheLogShowsBeforeTheStoreTellsIsNoLateness() {
    sources.log(20, now);
    sources.store(15, now);
    pass(1000);
    assertThat(watching()).isFalse();
  }
}
