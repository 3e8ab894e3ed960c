package dev.skep.scheduler.core;

import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** All filters, one after the other. */
final class Pipeline {
  private Pipeline() {}

  /** The first filter that turns the node down; null when it fits. */
  static Filter rejects(Demand demand, Candidate candidate) {
    for (Filter filter : Filter.values()) {
      if (!filter.admits(demand, candidate)) {
        return filter;
      }
    }
    return null;
  }

  /** Why none of these nodes fits; the reason that holds for most of them comes first. */
  static String explain(Demand demand, Collection<Candidate> candidates) {
    Map<Filter, Integer> counts = new EnumMap<>(Filter.class);
    for (Candidate candidate : candidates) {
      Filter filter = rejects(demand, candidate);
      if (filter != null) {
        counts.merge(filter, 1, Integer::sum);
      }
    }
    List<Map.Entry<Filter, Integer>> entries = counts.entrySet().stream().sorted(Map.Entry.comparingByValue(Comparator.reverseOrder())).toList();
    List<String> parts = entries.stream().map(entry -> entry.getKey().explain(entry.getValue())).toList();
    return parts.isEmpty() ? "no suitable node" : "no suitable node (" + String.join("; ", parts) + ")";
  }
}
