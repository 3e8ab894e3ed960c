package dev.skep.runtime.loop;

import dev.skep.state.Delta;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import java.util.ArrayList;
import java.util.List;

/** What a decider has not yet been asked about. Grown too long it becomes "everything". */
final class Backlog {
  private static final int MOST = 50_000;

  private boolean everything;
  private final List<RowChange> changes = new ArrayList<>();

  void add(List<RowChange> more) {
    if (everything) {
      return;
    }
    for (RowChange change : more) {
      if (!change.of(Rows.LEADER)) { // the loops' own chains: nothing that anybody decides on
        changes.add(change);
      }
    }
    if (changes.size() > MOST) {
      addEverything();
    }
  }

  void addEverything() {
    everything = true;
    changes.clear();
  }

  boolean isEmpty() {
    return !everything && changes.isEmpty();
  }

  /** The backlog as one delta, merged by row. */
  Delta delta() {
    return everything ? Delta.EVERYTHING : Delta.NOTHING.then(Delta.of(changes));
  }

  void clear() {
    everything = false;
    changes.clear();
  }

  /** Puts back what was decided on in vain, in front of what came since. */
  void putBack(Delta earlier) {
    if (earlier.everything()) {
      addEverything();
    } else if (!everything) {
      changes.addAll(0, earlier.changes());
    }
  }
}
