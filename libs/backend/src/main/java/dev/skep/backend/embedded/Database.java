package dev.skep.backend.embedded;

import dev.skep.backend.CompactedException;
import dev.skep.backend.FullException;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiConsumer;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import org.sqlite.jdbc4.JDBC4Connection;

/**
 * One connection to the SQLite file. It holds one table: every change of every key since the last compaction, and for
 * keys unchanged since then their last one. Not for concurrent use.
 */
final class Database implements AutoCloseable {
  static final String FILE = "store.db";
  private static final int FORMAT = 1;
  private static final List<String> SCHEMA =
      List.of(
          "create table change (revision integer not null, key text not null, value blob, create_revision integer not null,"
              + " lease integer not null, primary key (revision, key)) without rowid",
          "create index change_of_key on change (key, revision)",
          "create table compaction (oldest integer not null)",
          "insert into compaction values (1)",
          "pragma user_version = " + FORMAT);

  private final Path folder;
  private final Connection connection;

  private Database(Path folder, Connection connection) {
    this.folder = folder;
    this.connection = connection;
  }

  /** Opens the file, and makes the table when it is new. */
  static Database open(Path folder) {
    SQLiteConfig config = new SQLiteConfig();
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL); // a commit is on the disk when it is acknowledged
    config.setJournalSizeLimit(16 << 20);
    config.setBusyTimeout(5_000); // somebody looks inside with the sqlite3 tool
    Database database = null;
    try {
      database = connected(folder, config);
      database.prepare();
      return database;
    } catch (SQLException e) {
      StoreException failure = failure(folder, "open", e);
      if (database != null) {
        database.close();
      }
      throw failure;
    }
  }

  /** Opens the file beside whoever owns it, only to look. */
  static Database look(Path folder) {
    SQLiteConfig config = new SQLiteConfig();
    config.setReadOnly(true);
    config.setBusyTimeout(5_000);
    Database database = null;
    try {
      database = connected(folder, config);
      database.refuseNewer(database.number("pragma user_version"));
      return database;
    } catch (SQLException e) {
      StoreException failure = failure(folder, "open", e);
      if (database != null) {
        database.close();
      }
      throw failure;
    }
  }

  /** All keys that live, at one revision, whatever is written meanwhile. */
  Store.Snapshot snapshot() {
    try {
      List<Store.Entry> entries = new ArrayList<>();
      execute("begin");
      long revision = revision();
      latest((entry, _) -> entries.add(entry));
      execute("commit");
      entries.sort(Comparator.comparing(Store.Entry::key));
      return new Store.Snapshot(revision, entries);
    } catch (SQLException e) {
      throw failed("read", e);
    }
  }

  /** Not through DriverManager: that searches the class path for drivers, which costs start-up time. */
  private static Database connected(Path folder, SQLiteConfig config) throws SQLException {
    NativeLibrary.load();
    String file = folder.resolve(FILE).toString();
    return new Database(folder, new JDBC4Connection("jdbc:sqlite:" + file, file, config.toProperties()));
  }

  private void prepare() throws SQLException {
    long format = number("pragma user_version");
    refuseNewer(format);
    if (format == 0) {
      inTransaction(() -> {
        for (String sql : SCHEMA) {
          execute(sql);
        }
      });
    }
  }

  private void refuseNewer(long format) {
    if (format > FORMAT) {
      throw new StoreException("the store in " + folder + " has format " + format + ", written by a newer version; this one knows "
          + FORMAT + ": run the newer version again");
    }
  }

  private interface Work {
    void run() throws SQLException;
  }

  /** All or nothing. SQLite ends a transaction by itself after some failures, and after others not: both end here. */
  private void inTransaction(Work work) throws SQLException {
    execute("begin immediate");
    try {
      work.run();
      execute("commit");
    } catch (SQLException e) {
      try {
        execute("rollback");
      } catch (SQLException alreadyRolledBack) {
        e.addSuppressed(alreadyRolledBack);
      }
      throw e;
    }
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The newest revision on the disk. */
  long revision() {
    return number("select coalesce(max(revision), 0) from change");
  }

  /** The oldest revision that can be read and watched. */
  long oldest() {
    return number("select oldest from compaction");
  }

  private long number(String sql) {
    try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      throw failed("read", e);
    }
  }

  /** A change with the lease of its key. */
  record Leased(Store.Change change, long lease) {}

  /** Writes the revisions in one durable transaction. When this throws nothing was written, or nobody knows. */
  void write(List<List<Leased>> revisions) {
    try (PreparedStatement insert = connection.prepareStatement("insert into change values (?, ?, ?, ?, ?)")) {
      inTransaction(() -> {
        for (List<Leased> revision : revisions) {
          for (Leased leased : revision) {
            insert.setLong(1, leased.change.modRevision());
            insert.setString(2, leased.change.key());
            insert.setBytes(3, leased.change.value());
            insert.setLong(4, leased.change.createRevision());
            insert.setLong(5, leased.lease);
            insert.addBatch();
          }
        }
        insert.executeBatch();
      });
    } catch (SQLException e) {
      throw failed("write", e);
    }
  }

  /**
   * Deletes what nobody needs to read the store at {@code oldest} and later. What was superseded up to {@code before},
   * the oldest revision until now, is gone already: only what changed since is looked at.
   */
  void compact(long before, long oldest) {
    try (PreparedStatement superseded = connection.prepareStatement(
            "delete from change where (revision, key) in (select older.revision, older.key from change newer"
                + " join change older on older.key = newer.key and older.revision < newer.revision"
                + " where newer.revision > ? and newer.revision <= ?)");
        PreparedStatement deletions =
            connection.prepareStatement("delete from change where revision >= ? and revision < ? and value is null");
        PreparedStatement mark = connection.prepareStatement("update compaction set oldest = ?")) {
      inTransaction(() -> {
        superseded.setLong(1, before);
        superseded.setLong(2, oldest);
        superseded.executeUpdate();
        deletions.setLong(1, before);
        deletions.setLong(2, oldest);
        deletions.executeUpdate();
        mark.setLong(1, oldest);
        mark.executeUpdate();
      });
    } catch (SQLException e) {
      throw failed("compact", e);
    }
  }

  /** Every key that lives, with its lease. */
  void latest(BiConsumer<Store.Entry, Long> each) {
    String sql = "select key, value, create_revision, revision, lease from change where value is not null and not exists"
        + " (select 1 from change later where later.key = change.key and later.revision > change.revision)";
    try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        each.accept(new Store.Entry(rows.getString(1), rows.getBytes(2), rows.getLong(3), rows.getLong(4)), rows.getLong(5));
      }
    } catch (SQLException e) {
      throw failed("read", e);
    }
  }

  /** The revisions from {@code from} to {@code to}, both included. */
  List<Revised> history(long from, long to) {
    try (PreparedStatement select = connection.prepareStatement(
        "select revision, key, value, create_revision from change where revision between ? and ? order by revision, key")) {
      select.setLong(1, from);
      select.setLong(2, to);
      List<Revised> revisions = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          long revision = rows.getLong(1);
          if (revisions.isEmpty() || revisions.getLast().revision() != revision) {
            revisions.add(new Revised(revision, new ArrayList<>()));
          }
          revisions.getLast().changes().add(new Store.Change(rows.getString(2), rows.getBytes(3), rows.getLong(4), revision));
        }
      }
      refuseCompacted(from);
      return revisions;
    } catch (SQLException e) {
      throw failed("read", e);
    }
  }

  /** The keys under the prefix as they were at the revision, in key order. */
  List<Store.Entry> readAt(String prefix, long revision) {
    String sql = "select key, value, create_revision, revision from change where key >= ? and revision <= ? and value is not null"
        + " and not exists (select 1 from change later where later.key = change.key and later.revision > change.revision"
        + " and later.revision <= ?) order by key";
    try (PreparedStatement select = connection.prepareStatement(sql)) {
      select.setString(1, prefix);
      select.setLong(2, revision);
      select.setLong(3, revision);
      List<Store.Entry> entries = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next() && rows.getString(1).startsWith(prefix)) {
          entries.add(new Store.Entry(rows.getString(1), rows.getBytes(2), rows.getLong(3), rows.getLong(4)));
        }
      }
      refuseCompacted(revision);
      return entries;
    } catch (SQLException e) {
      throw failed("read", e);
    }
  }

  /** After reading: a compaction that came before the rows were read, or meanwhile, shows here. */
  private void refuseCompacted(long revision) {
    long oldest = oldest();
    if (revision < oldest) {
      throw new CompactedException(revision, oldest);
    }
  }

  private StoreException failed(String what, SQLException cause) {
    return failure(folder, what, cause);
  }

  private static StoreException failure(Path folder, String what, SQLException cause) {
    SQLiteErrorCode code = cause instanceof SQLiteException e ? e.getResultCode() : SQLiteErrorCode.getErrorCode(cause.getErrorCode());
    String name = code.name();
    String advice;
    boolean full = code == SQLiteErrorCode.SQLITE_FULL || name.startsWith("SQLITE_IOERR_SHM");
    if (full) {
      advice = "no space is left on its disk: free some; the store goes on by itself";
    } else if (name.startsWith("SQLITE_READONLY") || name.startsWith("SQLITE_CANTOPEN") || name.startsWith("SQLITE_PERM")) {
      advice = "the folder and its files must be writable for " + System.getProperty("user.name") + ", on a disk not mounted read-only";
    } else if (name.startsWith("SQLITE_CORRUPT") || name.startsWith("SQLITE_NOTADB")) {
      advice = "the file is damaged: put a backup in its place";
    } else if (name.startsWith("SQLITE_IOERR")) {
      advice = "its disk fails or is full: look at the kernel's log (dmesg) and at df";
    } else {
      advice = "see the cause";
    }
    String message = "cannot " + what + " the store " + folder.resolve(FILE) + " (" + name + "): " + advice;
    return full ? new FullException(message, cause) : new StoreException(message, cause);
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      throw failed("close", e);
    }
  }
}
