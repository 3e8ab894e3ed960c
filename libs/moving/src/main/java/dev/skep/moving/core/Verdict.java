package dev.skep.moving.core;

import java.util.function.Function;

/**
 * Something, or the sentence that says why it cannot be had.
 *
 * @param <T> what
 */
public sealed interface Verdict<T> {
  record Good<T>(T value) implements Verdict<T> {}

  record Refused<T>(String reason) implements Verdict<T> {}

  static <T> Verdict<T> good(T value) {
    return new Good<>(value);
  }

  static <T> Verdict<T> refused(String reason) {
    return new Refused<>(reason);
  }

  /** Goes on with the value; a refusal stays what it is. */
  default <R> Verdict<R> then(Function<T, Verdict<R>> next) {
    return switch (this) {
      case Good<T>(T value) -> next.apply(value);
      case Refused<T>(String reason) -> new Refused<>(reason);
    };
  }
}
