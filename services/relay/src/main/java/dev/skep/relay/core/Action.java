package dev.skep.relay.core;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What the relay wants done next. The shell does it and tells what became of it before it asks again. */
public sealed interface Action {
  /** Make sure that we still lead, claim the log and look at its end: {@link RelayCore#claimed}. */
  record Claim() implements Action {}

  /** Follow the store from this revision on: {@link RelayCore#moved}, {@link RelayCore#lost}. */
  record Watch(long from) implements Action {}

  /** Append these in one transaction: {@link RelayCore#appended}. */
  record Append(String epoch, List<Link> links) implements Action {}

  /** One record to be: {@code previous} is the revision before it in the log. */
  record Link(long previous, Moved moved) {}

  /** Read the store as it is now, append a reset and that as a snapshot: {@link RelayCore#began}. */
  record Begin(Reason reason, long previous) implements Action {}

  /** Read the store at the log's end and append that as a snapshot: {@link RelayCore#appended} or {@link RelayCore#notAppended}. */
  record Snapshot(String epoch, long revision) implements Action {}

  /** Let the store forget what was before this revision: {@link RelayCore#compacted}. */
  record Compact(long revision) implements Action {}

  /** Nothing until an event comes, or until this time. */
  record Sleep(Optional<Instant> until) implements Action {}
}
