package dev.skep.relay.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;

/**
 * Whether this process holds the relay's row, from what its loop, its view and the store say. Being asked to decide says
 * that it was won; the view and the store say when it is another's.
 *
 * @param holder this process's holder id while it holds the row, as far as known; else empty
 */
public record Tenure(String holder) {
  public static final Key<LeaderRow> ROW = Rows.LEADER.key("relay");
  public static final Tenure NONE = new Tenure("");

  public boolean held() {
    return !holder.isEmpty();
  }

  /** The loop asks for a decision on this state. */
  public Tenure won(ClusterState state) {
    LeaderRow row = state.value(ROW);
    return row == null ? this : new Tenure(row.getHolder());
  }

  /** The view shows this. */
  public Tenure seen(ClusterState state) {
    return state.has(Rows.cluster()) ? confirmed(state.value(ROW)) : NONE;
  }

  /** The store itself says who holds it, or that nobody does: null. */
  public Tenure confirmed(LeaderRow row) {
    return held() && row != null && row.getHolder().equals(holder) ? this : NONE;
  }
}
