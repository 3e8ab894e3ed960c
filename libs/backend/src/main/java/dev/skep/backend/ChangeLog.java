package dev.skep.backend;

import java.util.List;

/**
 * The event log: one record per store revision, in order, replayable. On the embedded backend it is the store's own
 * change table; on a cluster the topic {@code skep.changes}, filled by the relay.
 */
public interface ChangeLog extends AutoCloseable {
  /** {@code previous} is the revision before this one in the log: a reader that is not there has missed something. */
  record Record(String epoch, long revision, long previous, List<Store.Change> changes) {}

  /** Receives records in order, never concurrently. */
  @FunctionalInterface
  interface Reader {
    void record(Record record);

    /**
     * The log has come to this revision without a record for the reader: it begins there with a snapshot, or ended there
     * when the reader came. What the reader lacks up to here it has to get elsewhere.
     */
    default void at(String epoch, long revision) {}
  }

  /** An open subscription. */
  interface Subscription extends AutoCloseable {
    @Override
    void close();
  }

  /** Appends one record; throws {@link StoreException} when it did not land or nobody knows. */
  void append(Record record);

  /** Records after {@code afterRevision}, past ones first and then as they come. */
  Subscription read(long afterRevision, Reader reader);

  /** The last revision in the log; 0 when it is empty. */
  long end();

  @Override
  void close();
}
