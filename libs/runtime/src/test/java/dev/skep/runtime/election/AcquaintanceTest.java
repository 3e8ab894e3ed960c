package dev.skep.runtime.election;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class AcquaintanceTest {
  private final Acquaintance holder = new Acquaintance("h1", false);
  private final Acquaintance mistaken = new Acquaintance("h1", true);

  @Test
  void nobodyIsBelievedGoneForBeingUnreachable() {
    Duration before = Duration.ZERO;
    for (int i = 0; i < 10; i++) {
      Duration wait = holder.ended(false);
      assertThat(wait).isGreaterThanOrEqualTo(before).isBetween(Acquaintance.SOON, Acquaintance.RETRY);
      assertThat(holder.gone()).isFalse();
      before = wait;
    }
    assertThat(before).isEqualTo(Acquaintance.RETRY);
  }

  @Test
  void oneThatNeverAnsweredIsGoneWhenItIsRefused() {
    holder.ended(false);
    assertThat(holder.gone()).isFalse();
    holder.ended(true);
    assertThat(holder.gone()).isTrue();
    assertThat(holder.over()).as("it may have been told too early").isFalse();
  }

  @Test
  void oneThatAnsweredIsGoneWhenItIsRefused() {
    holder.told("h1");
    holder.ended(false);
    holder.ended(true);
    assertThat(holder.gone()).isTrue();
  }

  @Test
  void whereAnotherAnswersItHasEndedForGood() {
    assertThat(holder.told("h2")).isFalse();
    assertThat(holder.gone()).isTrue();
    assertThat(holder.over()).isTrue();
  }

  @Test
  void atAnAddressThatWasWrongNothingCountsUntilItAnswers() {
    Duration before = Duration.ZERO;
    for (int i = 0; i < 20; i++) {
      Duration wait = mistaken.ended(i % 2 == 0);
      assertThat(wait).isGreaterThanOrEqualTo(before);
      assertThat(mistaken.told("h2")).isFalse();
      assertThat(mistaken.gone()).isFalse();
      assertThat(mistaken.over()).isFalse();
      before = wait;
    }
    assertThat(before).isEqualTo(Acquaintance.SELDOM);
    assertThat(mistaken.told("h1")).isTrue();
    mistaken.ended(false);
    mistaken.ended(true);
    assertThat(mistaken.gone()).isTrue();
  }

  @Test
  void aCallThatBreaksIsTriedOnceMoreAtOnce() {
    assertThat(holder.told("h1")).isTrue();
    assertThat(holder.ended(false)).isEqualTo(Duration.ZERO);
    assertThat(holder.patience()).isEqualTo(Acquaintance.ONCE_MORE);
    assertThat(holder.gone()).isFalse();
    assertThat(holder.told("h1")).as("it was the network's doing").isTrue();
    assertThat(holder.gone()).isFalse();
    assertThat(holder.ended(false)).isEqualTo(Duration.ZERO);
    holder.ended(false);
    assertThat(holder.gone()).as("the host of a process that ended may be unreachable").isTrue();
  }

  @Test
  void oneThatAnswersAfterAllIsBelievedAgain() {
    holder.ended(true);
    assertThat(holder.gone()).isTrue();
    assertThat(holder.told("h1")).isTrue();
    assertThat(holder.gone()).isFalse();
  }
}
