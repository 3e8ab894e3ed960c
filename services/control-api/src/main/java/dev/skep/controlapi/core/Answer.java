package dev.skep.controlapi.core;

import java.util.function.Function;

/**
 * What came of a request: a value, or the error that the user gets.
 *
 * @param <T> the value
 */
public sealed interface Answer<T> {
  record Ok<T>(T value) implements Answer<T> {}

  record Refused<T>(ApiError error) implements Answer<T> {}

  static <T> Answer<T> ok(T value) {
    return new Ok<>(value);
  }

  static <T> Answer<T> refused(ApiError error) {
    return new Refused<>(error);
  }

  /** Goes on with the value; an error stays what it is. */
  default <R> Answer<R> then(Function<T, Answer<R>> next) {
    return switch (this) {
      case Ok<T> ok -> next.apply(ok.value());
      case Refused<T> refused -> new Refused<>(refused.error());
    };
  }

  default <R> Answer<R> map(Function<T, R> next) {
    return then(value -> new Ok<>(next.apply(value)));
  }
}
