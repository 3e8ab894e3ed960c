package dev.skep.dispatcher.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class RegistrationLimitTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_000);

  @Test
  void threeInEightSeconds() {
    RegistrationLimit limit = RegistrationLimit.FRESH.admit(NOW).orElseThrow().admit(NOW.plusSeconds(3)).orElseThrow();
    limit = limit.admit(NOW.plusSeconds(7)).orElseThrow();
    assertThat(limit.admit(NOW.plusMillis(7_999))).isEmpty();
    assertThat(limit.admit(NOW.plusSeconds(8))).isPresent();
    assertThat(limit.expired(NOW.plusSeconds(14))).isFalse();
    assertThat(limit.expired(NOW.plusSeconds(15))).isTrue();
  }

  @Test
  void aClockThatGoesBackLocksNobodyOut() {
    RegistrationLimit limit = RegistrationLimit.FRESH;
    for (int i = 0; i < 3; i++) {
      limit = limit.admit(NOW).orElseThrow();
    }
    assertThat(limit.admit(NOW.minusSeconds(3_600))).isPresent();
  }
}
