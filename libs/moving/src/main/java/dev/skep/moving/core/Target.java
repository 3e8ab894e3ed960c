package dev.skep.moving.core;

import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Owner;
import dev.skep.state.Rows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a store is that shall be filled. Without a cluster's own row nothing in a store means anything: what lies there is
 * of a filling, a founding or a leaving that was cut short.
 */
public sealed interface Target {
  /** To be filled when these keys are gone. */
  record Vacant(List<String> leftovers) implements Target {}

  /** It was filled from this very copy before. */
  record Filled() implements Target {}

  /** Something that must not be touched. */
  record Occupied(String reason) implements Target {}

  /** @param everything that the store holds */
  static Target of(List<Stored> everything, Copy copy) {
    List<String> leftovers = new ArrayList<>();
    for (Stored row : everything) {
      if (row.path().equals(Rows.cluster().path())) {
        return cluster(row, copy);
      }
      if (Arrays.stream(Owner.values()).noneMatch(owner -> row.path().startsWith(owner.prefix()))) {
        return new Occupied("it holds " + row.path() + ", which is nothing of Skep's");
      }
      leftovers.add(row.path());
    }
    return new Vacant(List.copyOf(leftovers));
  }

  private static Target cluster(Stored row, Copy copy) {
    var cluster = dev.skep.state.ClusterState.empty().apply(row.modRevision(), List.of(row)).state().value(Rows.cluster());
    if (copy.filled(cluster)) {
      return new Filled();
    }
    boolean same = cluster.getId().equals(copy.cluster().getId());
    return new Occupied("it is not empty: it holds " + (same ? "this cluster already, at another state" : "the cluster " + cluster.getId()));
  }
}
