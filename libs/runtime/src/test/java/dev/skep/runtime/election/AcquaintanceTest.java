package dev.skep.runtime.election;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class AcquaintanceTest {
  private final Acquaintance holder = new Acquaintance("h1");

  @Test
  void nobodyIsBelievedGoneForBeingUnreachable() {
    for (int i = 0; i < 10; i++) {
      assertThat(holder.ended(false)).isEqualTo(Acquaintance.RETRY);
      assertThat(holder.gone()).isFalse();
    }
  }

  @Test
  void oneThatNeverAnsweredIsGoneWhenItIsRefusedTwice() {
    holder.ended(true);
    assertThat(holder.gone()).as("its address may be wrong").isFalse();
    holder.ended(false);
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
    assertThat(holder.gone()).isFalse();
    assertThat(holder.over()).isFalse();
    assertThat(holder.told("h2")).isFalse();
    assertThat(holder.gone()).isTrue();
    assertThat(holder.over()).isTrue();
  }

  @Test
  void whereAnotherAnswersAfterItDidItHasEndedAtOnce() {
    holder.told("h1");
    holder.ended(false);
    holder.told("h2");
    assertThat(holder.gone()).isTrue();
    assertThat(holder.over()).isTrue();
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
    holder.ended(true);
    assertThat(holder.gone()).isTrue();
    assertThat(holder.told("h1")).isTrue();
    assertThat(holder.gone()).isFalse();
  }
}
