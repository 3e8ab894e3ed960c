package dev.skep.runtime;

import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import java.time.Duration;
import java.util.List;

/**
 * The cluster's state as this process knows it: an immutable {@link ClusterState} that moves forward revision by
 * revision. Listeners are called in order, one revision at a time, on the view's thread; they must not block.
 */
public interface View {
  @FunctionalInterface
  interface Listener {
    /** {@code reset} means: the past was lost, look at the whole state; {@code changes} is then empty. */
    void moved(ClusterState state, List<RowChange> changes, boolean reset);
  }

  ClusterState state();

  /** Blocks until the view is at or above the revision. Throws StoreException after the time-out. */
  ClusterState await(long revision, Duration timeout);

  /** A state at or above the store's revision at the moment of the call: for reads that promise to see earlier writes. */
  ClusterState fresh(Duration timeout);

  /** The listener first sees the current state as a reset. */
  AutoCloseable listen(Listener listener);
}
