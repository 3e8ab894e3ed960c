package dev.skep.controlapi.shell;

import dev.skep.backend.Store;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.Planned;
import dev.skep.runtime.Host;
import dev.skep.runtime.loop.StoreTerms;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Tick;
import dev.skep.state.Write;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The way of every write: decide on a fresh view, commit under the decision's guards, answer when the view shows it. A
 * conflict means that somebody was faster, so it is decided anew on what they made.
 */
final class Commits {
  static final Duration LIMIT = Duration.ofSeconds(10);
  private static final int ATTEMPTS = 64;
  private static final int MOST_BYTES = 1 << 20; // what the smallest backend takes in one transaction

  /** Decides what a request writes. */
  @FunctionalInterface
  interface Decide<T> {
    Answer<Planned<T>> on(ClusterState state, Tick tick);
  }

  private final Host host;

  Commits(Host host) {
    this.host = host;
  }

  /** Blocks. Throws StoreException when the store does not answer: then nobody knows whether it was written. */
  <T> Answer<T> write(Decide<T> decide) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      ClusterState state = host.view().fresh(LIMIT);
      switch (decide.on(state, new Tick(host.clock().instant(), host.ids()))) {
        case Answer.Refused<Planned<T>> refused -> {
          return Answer.refused(refused.error());
        }
        case Answer.Ok<Planned<T>> ok -> {
          if (tooLarge(ok.value().changes())) {
            return Answer.refused(ApiError.rpc(ApiError.Code.INVALID_ARGUMENT, "object is larger than " + MOST_BYTES + " bytes"));
          }
          if (landed(ok.value().changes())) {
            return Answer.ok(ok.value().answer());
          }
        }
      }
    }
    return Answer.refused(ApiError.rpc(ApiError.Code.UNAVAILABLE, "too many changes of the same object at once: try again"));
  }

  private boolean landed(List<ChangeSet> changes) {
    long revision = 0;
    for (ChangeSet change : changes) {
      switch (host.store().commit(transaction(change))) {
        case Store.Outcome.Committed committed -> revision = committed.revision();
        case Store.Outcome.Conflict _ -> {
          return false;
        }
      }
    }
    host.view().await(revision, LIMIT);
    return true;
  }

  private static boolean tooLarge(List<ChangeSet> changes) {
    long bytes = 0;
    for (ChangeSet change : changes) {
      for (Write write : change.writes()) {
        bytes += write instanceof Write.Put<?> put ? put.value().getSerializedSize() : 0;
      }
    }
    return bytes > MOST_BYTES;
  }

  private static Store.Transaction transaction(ChangeSet change) {
    Set<Store.Compare> compares = new LinkedHashSet<>(); // sets of several rows repeat guards, and a store bounds their number
    change.guards().forEach(guard -> compares.add(StoreTerms.compare(guard)));
    return new Store.Transaction(List.copyOf(compares), change.writes().stream().map(StoreTerms::operation).toList());
  }
}
