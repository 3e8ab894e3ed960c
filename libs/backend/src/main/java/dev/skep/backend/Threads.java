package dev.skep.backend;

/** Where a backend gets its threads from: whoever hosts it starts them, and learns when one fails. */
@FunctionalInterface
public interface Threads {
  /** Starts a daemon thread of this name. */
  Thread start(String name, Runnable body);
}
