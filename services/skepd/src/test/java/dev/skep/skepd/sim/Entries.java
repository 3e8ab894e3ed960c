package dev.skep.skepd.sim;

import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.relay.core.Change;
import dev.skep.relay.core.LogEnd;
import dev.skep.relay.core.Reason;
import dev.skep.relay.core.Replay;
import dev.skep.state.ClusterState;
import dev.skep.state.LogValue;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import java.util.ArrayList;
import java.util.List;

/** The words of store, relay and log for each other's. */
final class Entries {
  private Entries() {}

  /** What a revision changed, as the log may show it. */
  static List<Change> shown(List<RowChange> changes, long revision) {
    List<Change> shown = new ArrayList<>(changes.size());
    for (RowChange change : changes) {
      shown.add(change.after() == null ? new Change(change.key().path(), null, 0, revision) : shown(change.after()));
    }
    return shown;
  }

  private static Change shown(Row<?> row) {
    String path = row.key().path();
    return new Change(path, LogValue.of(path, row.value().toByteArray()), row.createRevision(), row.modRevision());
  }

  /** All rows. */
  static List<Change> shown(ClusterState state) {
    List<Change> rows = new ArrayList<>(state.size());
    Rows.all().forEach(kind -> state.rows(kind).forEach(row -> rows.add(shown(row))));
    return rows;
  }

  static List<Store.Change> toLog(List<Change> changes) {
    return changes.stream().map(change -> new Store.Change(change.key(), change.value(), change.created(), change.modified())).toList();
  }

  static List<Change> logged(List<Store.Change> changes) {
    return changes.stream().map(change -> new Change(change.key(), change.value(), change.createRevision(), change.modRevision())).toList();
  }

  static LogEnd end(LogWriter.End end) {
    return new LogEnd(end.epoch(), end.revision(), end.whole(), end.based());
  }

  /** A snapshot, in parts of so many rows. */
  static List<LogEntry> parts(String epoch, ClusterState state, int size) {
    List<Store.Change> rows = toLog(shown(state));
    List<LogEntry> parts = new ArrayList<>();
    for (int from = 0; parts.isEmpty() || from < rows.size(); from += size) {
      int until = Math.min(from + size, rows.size());
      parts.add(new LogEntry.Snapshot(epoch, state.revision(), parts.size(), until == rows.size(), rows.subList(from, until)));
    }
    return parts;
  }

  static void feed(Replay replay, LogEntry entry) {
    switch (entry) {
      case LogEntry.Changes record -> replay.changes(record.epoch(), record.revision(), record.previous(), logged(record.changes()));
      case LogEntry.Reset reset -> replay.reset(reset.epoch(), reset.revision(), reset.previous(), Reason.valueOf(reset.reason().name()));
      case LogEntry.Snapshot part -> replay.snapshot(part.epoch(), part.revision(), part.part(), part.last(), logged(part.rows()));
    }
  }
}
