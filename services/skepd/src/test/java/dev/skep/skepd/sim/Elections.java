package dev.skep.skepd.sim;

import dev.skep.state.Restored;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.testkit.sim.SimStore.Landed;
import dev.skep.testkit.sim.Violation;
import java.util.HashMap;
import java.util.Map;

/**
 * What a loop's holder decides it decides on a view at or above the revision at which it won the loop; and nobody decides
 * anything about a restored cluster that waits for its confirmation.
 */
final class Elections {
  private static final String LOOPS = "orchestrator allocator scheduler";

  private final Map<String, Long> won = new HashMap<>(); // by loop and holder
  private final Map<String, Long> decided = new HashMap<>(); // the same: the view of its latest decision

  /** Called before a decision. */
  void decides(String loop, String holder, long view) {
    decided.put(loop + "@" + holder, view);
  }

  /** Another store is in the place of the one that they were elected on. */
  void replaced() {
    won.clear();
    decided.clear();
  }

  void check(Landed landed) {
    for (RowChange change : landed.changes()) {
      if (change.of(Rows.LEADER) && change.after() != null) {
        elected(change);
      } else if (!change.of(Rows.LEADER)) {
        decided(landed, change);
      }
    }
  }

  private void elected(RowChange change) {
    String holder = ((LeaderRow) change.newest()).getHolder();
    Row<?> before = change.before();
    if (before == null || !((LeaderRow) before.value()).getHolder().equals(holder)) {
      won.put(change.key().lastPart() + "@" + holder, change.after().modRevision());
    }
  }

  private void decided(Landed landed, RowChange change) {
    String writer = landed.writer();
    Long since = won.get(writer);
    Long view = decided.get(writer);
    if (since == null || view == null) {
      return;
    }
    if (view < since) {
      throw new Violation(writer + " wrote " + change.key() + " as decided at revision " + view + ", and leads since " + since);
    }
    boolean decides = LOOPS.contains(writer.replaceFirst("@.*", ""));
    if (decides && Restored.unconfirmed(landed.before())) {
      throw new Violation(writer + " wrote " + change.key() + " before the restore was confirmed");
    }
  }
}
