package dev.skep.runtime.view;

import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;

/**
 * What a view that follows the log makes of what it hears, from the log and from the store. No clock and no threads: times
 * are nanoseconds of a clock that does not jump.
 */
public final class Following {
  /** What a record of the log is to a view. */
  public enum Fate {
    /** It goes on from the view's revision: to be applied. */
    NEXT,
    /** The view is there already. */
    KNOWN,
    /** Something is missing between them: when it is needed the log is late, and the store tells it. */
    GAP,
    /** It speaks about another cluster, or another life of this one. */
    FOREIGN
  }

  private final Sources sources;

  /** @param revision of the snapshot with which the view begins */
  public Following(long revision, long now) {
    this.sources = new Sources(revision, now);
  }

  /** A view without a cluster takes any epoch: one begins. */
  public static Fate fate(ClusterState state, String epoch, long revision, long previous) {
    ClusterRow cluster = state.value(Rows.cluster());
    if (cluster != null && !cluster.getEpoch().equals(epoch)) {
      return Fate.FOREIGN;
    }
    if (revision <= state.revision()) {
      return Fate.KNOWN;
    }
    return previous == state.revision() ? Fate.NEXT : Fate.GAP;
  }

  /** The view has come so far, and the log has shown it. */
  public void logAt(long revision, long now) {
    sources.log(revision, now);
  }

  /** The store has come so far. */
  public void storeAt(long revision, long now) {
    sources.store(revision, now);
  }

  /** Whether the store's watch is wanted beside the log. */
  public boolean watching(long now) {
    return sources.watching(now);
  }
}
