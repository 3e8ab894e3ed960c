package dev.skep.backend.embedded;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The event log of a one-machine cluster: the store's own change table. Nothing needs to be appended, and log and store
 * cannot differ. After a compaction the first record's {@code previous} shows the gap.
 */
public final class EmbeddedChangeLog implements ChangeLog {
  private final SqliteStore store;
  private final Supplier<String> epoch;
  private final UnaryOperator<Store.Change> publish;

  /**
   * @param epoch which life of the cluster the records belong to
   * @param publish what readers of the log may see of a change: secrets become digests
   */
  public EmbeddedChangeLog(SqliteStore store, Supplier<String> epoch, UnaryOperator<Store.Change> publish) {
    this.store = store;
    this.epoch = epoch;
    this.publish = publish;
  }

  @Override
  public void append(Record record) {
    if (record.revision() > store.revision()) {
      throw new StoreException("the embedded log holds what the store holds; revision " + record.revision() + " is not in the store");
    }
  }

  @Override
  public Subscription read(long afterRevision, Reader reader) {
    Follower follower = new Follower(reader);
    follower.start(afterRevision + 1);
    return follower;
  }

  private final class Follower implements Subscription, Cursor.Walker {
    private final Reader reader;
    private Cursor cursor; // guarded by this
    private boolean closed; // guarded by this

    private Follower(Reader reader) {
      this.reader = reader;
    }

    private synchronized void start(long from) {
      if (!closed) {
        cursor = store.walk("log-reader-", from, this);
      }
    }

    @Override
    public void at(Revised revised) {
      reader.record(new Record(epoch.get(), revised.revision(), revised.revision() - 1, revised.changes().stream().map(publish).toList()));
    }

    /** Goes on at the oldest record that is left; the reader sees the gap in {@code previous}. */
    @Override
    public void compacted(long oldest) {
      start(oldest);
    }

    @Override
    public synchronized void close() {
      closed = true;
      if (cursor != null) {
        cursor.close();
      }
    }
  }

  @Override
  public long end() {
    return store.revision();
  }

  /** The store stays open: it has its own owner. */
  @Override
  public void close() {}
}
