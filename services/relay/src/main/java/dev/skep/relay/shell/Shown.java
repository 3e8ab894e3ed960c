package dev.skep.relay.shell;

import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.relay.core.Change;
import dev.skep.relay.core.LogEnd;
import dev.skep.relay.core.Reason;
import dev.skep.state.LogValue;

/** The store's and the log's words for what the core has its own. What comes from the store is shown as the log may show it. */
final class Shown {
  private Shown() {}

  static Change change(Store.Change change) {
    return new Change(change.key(), LogValue.of(change.key(), change.value()), change.createRevision(), change.modRevision());
  }

  static Change entry(Store.Entry entry) {
    return new Change(entry.key(), LogValue.of(entry.key(), entry.value()), entry.createRevision(), entry.modRevision());
  }

  /** A row of the log, which is shown already. */
  static Change logged(Store.Change change) {
    return new Change(change.key(), change.value(), change.createRevision(), change.modRevision());
  }

  static Store.Change toLog(Change change) {
    return new Store.Change(change.key(), change.value(), change.created(), change.modified());
  }

  static LogEnd end(LogWriter.End end) {
    return new LogEnd(end.epoch(), end.revision(), end.whole(), end.based());
  }

  static LogEntry.Reason reason(Reason reason) {
    return switch (reason) {
      case FIRST -> LogEntry.Reason.FIRST;
      case NEW_EPOCH -> LogEntry.Reason.NEW_EPOCH;
      case COMPACTED -> LogEntry.Reason.COMPACTED;
    };
  }

  static Reason reason(LogEntry.Reason reason) {
    return switch (reason) {
      case FIRST -> Reason.FIRST;
      case NEW_EPOCH -> Reason.NEW_EPOCH;
      case COMPACTED -> Reason.COMPACTED;
    };
  }
}
