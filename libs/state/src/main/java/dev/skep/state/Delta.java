package dev.skep.state;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What changed since a decider was last asked. {@code everything} means: nothing is known of the past, look at the
 * whole state. Deciding from a delta must equal deciding from everything (the narrow law).
 */
public record Delta(boolean everything, List<RowChange> changes) {
  public static final Delta EVERYTHING = new Delta(true, List.of());
  public static final Delta NOTHING = new Delta(false, List.of());

  public static Delta of(List<RowChange> changes) {
    return new Delta(false, List.copyOf(changes));
  }

  public boolean isEmpty() {
    return !everything && changes.isEmpty();
  }

  /** This delta and then the next one; a row changed twice keeps its first {@code before} and its last {@code after}. */
  public Delta then(Delta next) {
    if (everything || next.everything) {
      return EVERYTHING;
    }
    Map<Key<?>, RowChange> merged = new LinkedHashMap<>();
    for (RowChange change : changes) {
      merged.put(change.key(), change);
    }
    for (RowChange change : next.changes) {
      merged.merge(change.key(), change, (first, second) -> new RowChange(first.key(), first.before(), second.after()));
    }
    // A row that came and went inside the delta has neither side left and says nothing.
    merged.values().removeIf(change -> change.before() == null && change.after() == null);
    return new Delta(false, List.copyOf(merged.values()));
  }
}
