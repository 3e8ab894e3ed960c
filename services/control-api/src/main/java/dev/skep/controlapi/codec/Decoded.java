package dev.skep.controlapi.codec;

/**
 * What came of reading a user's JSON: the value, or the sentence that Docker's engine would answer with (400).
 *
 * @param <T> what was read
 */
public sealed interface Decoded<T> {
  record Ok<T>(T value) implements Decoded<T> {}

  record Refused<T>(String message) implements Decoded<T> {}
}
