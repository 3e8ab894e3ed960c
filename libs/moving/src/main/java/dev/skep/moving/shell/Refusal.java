package dev.skep.moving.shell;

import dev.skep.moving.core.Verdict;

/** Why a command does not do what it was told, for whoever told it. Nothing was changed unless the sentence says so. */
public final class Refusal extends Exception {
  private static final long serialVersionUID = 1;

  public Refusal(String sentence) {
    super(sentence);
  }

  /** @param whose stands before the reason */
  static <T> T unless(String whose, Verdict<T> verdict) throws Refusal {
    return switch (verdict) {
      case Verdict.Good<T>(T value) -> value;
      case Verdict.Refused<T>(String reason) -> throw new Refusal(whose + ": " + reason);
    };
  }
}
