package dev.skep.backend;

import java.util.function.Consumer;

/** What stands in the log, for replay. */
public interface LogHistory extends AutoCloseable {
  /** The last revision in the log; 0 when it is empty. */
  long end();

  /**
   * The entries that make the state at the revision (and up to it: from the newest complete snapshot before it on), in
   * order. {@code whole}: from the beginning of what the log still holds, other epochs included.
   */
  void scan(long to, boolean whole, Consumer<LogEntry> visitor);

  @Override
  void close();
}
