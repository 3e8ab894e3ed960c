package dev.skep.relay.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;

/**
 * Whether this process holds the relay's row, from what its loop, its view and the store say. Being asked to decide says
 * that it was won; the view and the store say when it is another's. Not for concurrent use.
 */
public final class Tenure {
  public static final Key<LeaderRow> ROW = Rows.LEADER.key("relay");

  private String holder = ""; // ours while we hold the row, as far as known

  public boolean held() {
    return !holder.isEmpty();
  }

  /** The loop asks for a decision on this state. True when we did not know that we hold the row. */
  public boolean won(ClusterState state) {
    LeaderRow row = state.value(ROW);
    if (row == null || row.getHolder().equals(holder)) {
      return false;
    }
    holder = row.getHolder();
    return true;
  }

  /** The view shows this. True when we hold the row no more. */
  public boolean seen(ClusterState state) {
    LeaderRow row = state.value(ROW);
    boolean over = held() && (row == null || !row.getHolder().equals(holder) || !state.has(Rows.cluster()));
    if (over) {
      holder = "";
    }
    return over;
  }

  /** The store itself says who holds it, or that nobody does: null. True when it is us. */
  public boolean confirmed(LeaderRow row) {
    boolean ours = held() && row != null && row.getHolder().equals(holder);
    if (!ours) {
      holder = "";
    }
    return ours;
  }
}
