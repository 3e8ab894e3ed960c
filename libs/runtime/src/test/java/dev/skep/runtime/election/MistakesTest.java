package dev.skep.runtime.election;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MistakesTest {
  private final Mistakes mistakes = new Mistakes();

  @Test
  void whoHasALoopAgainThatItLostAsOneBelievedGoneWasAMistake() {
    mistakes.lost("a", "h1");
    assertThat(mistakes.returned("b", "h1")).as("it may have taken it before it ended").isFalse();
    assertThat(mistakes.about("h1")).isFalse();
    assertThat(mistakes.returned("a", "h1")).isTrue();
    assertThat(mistakes.about("h1")).isTrue();
    assertThat(mistakes.about("h2")).isFalse();
    mistakes.met("h1");
    assertThat(mistakes.about("h1")).isFalse();
  }

  @Test
  void theOldestAreForgotten() {
    for (int i = 0; i < 1000; i++) {
      mistakes.lost("a", "old" + i);
    }
    assertThat(mistakes.returned("a", "old1")).isFalse();
    assertThat(mistakes.returned("a", "old999")).isTrue();
  }
}
