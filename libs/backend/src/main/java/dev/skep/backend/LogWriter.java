package dev.skep.backend;

import java.time.Instant;
import java.util.List;

/**
 * The relay's side of a log that is not the store itself. It has one writer at a time: a claim takes the log from the
 * one before, whose appends fail from then on. Not for concurrent use, but for {@link #close}.
 */
public interface LogWriter extends AutoCloseable {
  /**
   * Where a log ends.
   *
   * @param epoch of the last entry; empty when there is none
   * @param revision of the last entry
   * @param whole whether a replay of what is there can begin somewhere: false also when a reset's snapshot is unfinished
   * @param based when the newest complete snapshot was written; the epoch's begin when there is none
   */
  record End(String epoch, long revision, boolean whole, Instant based) {
    public static final End EMPTY = new End("", 0, false, Instant.EPOCH);
  }

  /** Another writer claimed the log after this one: whoever appends must claim anew, if it is still the one to write. */
  final class FencedException extends StoreException {
    private static final long serialVersionUID = 1;

    public FencedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Takes the log, fencing any earlier writer, and says where it ends. What was under way is decided by then. Nobody is
   * fenced, and the claim refused, when the log goes on with an epoch that came after this one.
   */
  End claim(String epoch);

  /**
   * Appends all of them or none; throws {@link StoreException} when they did not land or nobody knows: then
   * {@link #claim} tells.
   */
  End append(List<LogEntry> entries);

  @Override
  void close();
}
