package dev.skep.backend.embedded;

import dev.skep.backend.CompactedException;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogHistory;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * The file of an embedded store as somebody else may read it, also while its owner uses it: the change table as a log,
 * and the store at a revision.
 */
public final class StoreFile implements LogHistory {
  private static final int PAGE = 256;

  private final Database database;

  private StoreFile(Database database) {
    this.database = database;
  }

  public static StoreFile open(Path folder) {
    if (!Files.isRegularFile(folder.resolve(Database.FILE))) {
      throw new StoreException("there is no store in " + folder);
    }
    return new StoreFile(Database.open(folder));
  }

  @Override
  public long end() {
    return database.revision();
  }

  /** The table keeps the newest revisions, and of older ones the state: that is the snapshot that a replay begins with. */
  @Override
  public void scan(long to, boolean whole, Consumer<LogEntry> visitor) {
    long last = Math.min(to, end());
    long oldest = database.oldest();
    if (last < oldest) {
      throw new CompactedException(last, oldest);
    }
    List<Store.Change> base = at(oldest).entries().stream()
        .map(entry -> new Store.Change(entry.key(), entry.value(), entry.createRevision(), entry.modRevision()))
        .toList();
    visitor.accept(new LogEntry.Reset("", oldest, 0, LogEntry.Reason.FIRST));
    visitor.accept(new LogEntry.Snapshot("", oldest, 0, true, base));
    for (long from = oldest + 1; from <= last; from += PAGE) {
      for (Revised revised : database.history(from, Math.min(last, from + PAGE - 1))) {
        visitor.accept(new LogEntry.Changes("", revised.revision(), revised.revision() - 1, revised.changes()));
      }
    }
  }

  /** Everything as it was at the revision. */
  public Store.Snapshot at(long revision) {
    return new Store.Snapshot(revision, database.readAt("", revision));
  }

  @Override
  public void close() {
    database.close();
  }
}
