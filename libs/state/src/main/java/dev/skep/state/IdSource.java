package dev.skep.state;

import java.util.random.RandomGenerator;

/** Makes ids like Docker's: 25 characters of {@code [0-9a-z]}. Seeded, so that a decision can be repeated. */
public final class IdSource {
  private static final int LENGTH = 25;
  private static final String DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";

  private final RandomGenerator random;

  public IdSource(RandomGenerator random) {
    this.random = random;
  }

  public String next() {
    char[] id = new char[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      id[i] = DIGITS.charAt(random.nextInt(DIGITS.length()));
    }
    return new String(id);
  }
}
