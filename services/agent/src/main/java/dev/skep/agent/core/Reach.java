package dev.skep.agent.core;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What this node's kernel knows of other nodes.
 *
 * @param tunnels by name of their device
 * @param neighbours by bridge: address to MAC, so that nobody has to ask other nodes for it
 */
public record Reach(SortedMap<String, Tunnel> tunnels, SortedMap<String, SortedMap<String, String>> neighbours) {
  public static final Reach NONE = new Reach(Collections.emptySortedMap(), Collections.emptySortedMap());

  public Reach {
    tunnels = Collections.unmodifiableSortedMap(new TreeMap<>(tunnels));
    SortedMap<String, SortedMap<String, String>> known = new TreeMap<>();
    for (Map.Entry<String, SortedMap<String, String>> bridge : neighbours.entrySet()) {
      if (!bridge.getValue().isEmpty()) {
        known.put(bridge.getKey(), Collections.unmodifiableSortedMap(new TreeMap<>(bridge.getValue())));
      }
    }
    neighbours = Collections.unmodifiableSortedMap(known);
  }

  public boolean isEmpty() {
    return tunnels.isEmpty() && neighbours.isEmpty();
  }

  SortedMap<String, String> neighboursOn(String bridge) {
    return neighbours.getOrDefault(bridge, Collections.emptySortedMap());
  }

  /** Without a device that could not be made. */
  public Reach without(String device) {
    SortedMap<String, Tunnel> left = new TreeMap<>(tunnels);
    left.remove(device);
    return new Reach(left, neighbours);
  }
}
