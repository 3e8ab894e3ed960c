package dev.skep.runtime.view;

import java.time.Duration;

/**
 * From where a view takes its next revision: the log, and the store's watch beside it while the log is late. The log is
 * late when something that the store had a moment ago has not come through it; it is on time again when it was not late
 * for a while. No clock: times are nanoseconds of one that does not jump.
 */
final class Sources {
  static final Duration LATE = Duration.ofMillis(150);
  static final Duration CALM = Duration.ofSeconds(5);

  private long log; // it has shown everything up to here
  private long store; // known to have been here
  private long probe; // a revision that the log has to show, and
  private long probedAt; // since when
  private long lateAt; // when it was last seen late
  private boolean watching;

  /** @param revision of the snapshot with which the view begins */
  Sources(long revision, long now) {
    this.log = revision;
    this.store = revision;
    this.probe = revision;
    this.probedAt = now;
    this.lateAt = now;
  }

  /** The log has come so far. */
  void log(long revision, long now) {
    log = Math.max(log, revision);
    store = Math.max(store, revision);
    probe(now);
  }

  /** The store has come so far. */
  void store(long revision, long now) {
    store = Math.max(store, revision);
    probe(now);
  }

  private void probe(long now) {
    if (log >= probe && store > log) {
      probe = store;
      probedAt = now;
    }
  }

  /** Whether the store's watch is wanted now. */
  boolean watching(long now) {
    if (probe > log && now - probedAt > LATE.toNanos()) {
      lateAt = now;
      watching = true;
    } else if (watching && now - lateAt >= CALM.toNanos()) {
      watching = false;
    }
    return watching;
  }
}
