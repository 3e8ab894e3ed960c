package dev.skep.backend;

import java.util.List;

/** Everything that can stand in a log that a relay writes. Readers of changes see {@link Changes} only. */
public sealed interface LogEntry {
  String epoch();

  /** The store's revision that the entry speaks about; it grows along the log within one epoch. */
  long revision();

  /** What one revision of the store changed; {@code previous} is the revision before it in the log. */
  record Changes(String epoch, long revision, long previous, List<Store.Change> changes) implements LogEntry {}

  /** The log does not go on from {@code previous}: the state at this revision follows as a snapshot. */
  record Reset(String epoch, long revision, long previous, Reason reason) implements LogEntry {}

  /** A part of the store at one revision, counted from 0; parts follow each other. */
  record Snapshot(String epoch, long revision, int part, boolean last, List<Store.Change> rows) implements LogEntry {}

  /** Why a log begins anew. */
  enum Reason {
    /** It was empty. */
    FIRST,
    /** The cluster was restored, migrated or made anew. */
    NEW_EPOCH,
    /** The store forgot its past before the log had it: revisions are missing. */
    COMPACTED
  }
}
