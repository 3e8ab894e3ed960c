package dev.skep.runtime.loop;

import dev.skep.backend.Store.Transaction;
import java.time.Instant;
import java.util.Optional;

/** What a loop wants done next. */
public sealed interface Action {
  /** Commit this, then tell the loop the outcome, or that it is unknown. One commit at a time. */
  record Commit(Transaction transaction) implements Action {}

  /** Read this key linearizably, then tell the loop the entry, or that it could not be read. */
  record ReadLeader(String key) implements Action {}

  /** Nothing until an event comes, or until this time. */
  record Sleep(Optional<Instant> until) implements Action {}
}
