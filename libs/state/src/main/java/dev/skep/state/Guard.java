package dev.skep.state;

/** What must hold in the store for a change set to land. Only where the decision depended on it. */
public sealed interface Guard {
  Key<?> key();

  /** The row is as it was read. */
  record Unmodified(Key<?> key, long modRevision) implements Guard {}

  /** The row is there, in whatever version: the parent law. */
  record Present(Key<?> key) implements Guard {}

  record Absent(Key<?> key) implements Guard {}
}
