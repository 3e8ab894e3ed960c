package dev.skep.backend.embedded;

import dev.skep.backend.CompactedException;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.Threads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * The store of a one-machine cluster: a SQLite file in a folder that this process owns. A commit is acknowledged when it
 * is on the disk. Reads and watches are answered from memory where they can be.
 */
public final class SqliteStore implements Store {
  /**
   * @param retainRevisions how much of the past is kept for watches and the event log
   * @param nanos a monotonic clock
   */
  public record Options(long retainRevisions, LongSupplier nanos) {
    public static final Options DEFAULT = new Options(20_000, System::nanoTime);
  }

  private final FolderLock lock;
  private final Threads threads;
  private final Latest latest;
  private final History history;
  private final Writer writer;
  private final AtomicInteger watches = new AtomicInteger();
  private boolean closed; // guarded by this

  private SqliteStore(FolderLock lock, Threads threads, Latest latest, History history, Writer writer) {
    this.lock = lock;
    this.threads = threads;
    this.latest = latest;
    this.history = history;
    this.writer = writer;
  }

  public static SqliteStore open(Path folder, Threads threads) {
    return open(folder, threads, Options.DEFAULT);
  }

  /** Opens or makes the store. Throws {@link StoreException} with a sentence that says what to do about it. */
  public static SqliteStore open(Path folder, Threads threads, Options options) {
    FolderLock lock = FolderLock.take(folder);
    Database database = null;
    try {
      database = Database.open(folder);
      Latest latest = new Latest();
      Leases leases = new Leases(options.nanos());
      database.latest((entry, lease) -> {
        latest.load(entry);
        leases.attach(entry.key(), lease);
      });
      latest.startAt(database.revision());
      History history = new History(folder, latest.revision(), database.oldest());
      sweep(database, latest, leases, history);
      Writer writer = new Writer(folder, database, latest, history, leases, options.retainRevisions());
      writer.start(threads);
      return new SqliteStore(lock, threads, latest, history, writer);
    } catch (RuntimeException e) {
      if (database != null) {
        database.close();
      }
      lock.close();
      throw e;
    }
  }

  /**
   * All that the store in the folder holds, at one revision, read beside the process that owns it. Keys on leases are
   * among it. Throws {@link StoreException} when there is no store.
   */
  public static Snapshot look(Path folder) {
    if (!Files.exists(folder.resolve(Database.FILE))) {
      throw new StoreException("there is no store in " + folder);
    }
    try (Database database = Database.look(folder)) {
      return database.snapshot();
    }
  }

  /** Leases end with the process that held them: their keys go before anybody reads. */
  private static void sweep(Database database, Latest latest, Leases leases, History history) {
    Group group = new Group(latest, leases);
    leases.sweep().forEach(group::add);
    if (!group.isEmpty()) {
      database.write(group.revisions());
      leases.published(group.revisions());
      latest.publish(group.published());
      history.publish(group.published());
    }
  }

  @Override
  public long revision() {
    return latest.revision();
  }

  @Override
  public Optional<Entry> get(String key) {
    return latest.get(key);
  }

  @Override
  public Snapshot read(String prefix) {
    return latest.read(prefix);
  }

  @Override
  public Snapshot readAt(String prefix, long revision) {
    Snapshot now = latest.read(prefix);
    if (revision == now.revision()) {
      return now;
    }
    if (revision > now.revision()) {
      throw new StoreException("revision " + revision + " is not there yet; the newest is " + now.revision());
    }
    if (revision < history.oldest()) {
      throw new CompactedException(revision, history.oldest());
    }
    return new Snapshot(revision, history.read(database -> database.readAt(prefix, revision)));
  }

  @Override
  public Outcome commit(Transaction transaction) {
    transaction.requireValid();
    return writer.commit(transaction);
  }

  @Override
  public Watch watch(String prefix, long fromRevision, Watcher watcher) {
    return walk("store-watch-", fromRevision, new Cursor.Walker() {
      @Override
      public void at(Revised revised) {
        List<Change> changes = revised.under(prefix);
        if (!changes.isEmpty()) {
          watcher.changed(revised.revision(), changes);
        }
      }

      @Override
      public void compacted(long oldest) {
        watcher.compacted(oldest);
      }
    });
  }

  Cursor walk(String name, long fromRevision, Cursor.Walker walker) {
    return Cursor.start(history, threads, name + watches.incrementAndGet(), fromRevision, walker);
  }

  /** The oldest revision that can be read and watched. */
  long oldest() {
    return history.oldest();
  }

  @Override
  public Lease lease(Duration timeToLive) {
    Leases.Held held = writer.grant(timeToLive);
    return new Lease() {
      @Override
      public long id() {
        return held.id();
      }

      @Override
      public boolean alive() {
        return held.alive();
      }

      @Override
      public void close() {
        if (held.alive()) {
          writer.revoke(held.id());
        }
      }
    };
  }

  @Override
  public void compact(long revision) {
    writer.compact(revision);
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      writer.close();
      history.close();
      lock.close();
    }
  }
}
