package dev.skep.backend.embedded;

import dev.skep.backend.Store;
import java.util.ArrayList;
import java.util.List;

/** One revision: all keys that it changed, in key order. */
record Revised(long revision, List<Store.Change> changes) {
  /** The changes under a prefix. */
  List<Store.Change> under(String prefix) {
    if (prefix.isEmpty()) {
      return changes;
    }
    List<Store.Change> inside = new ArrayList<>();
    for (Store.Change change : changes) {
      if (change.key().startsWith(prefix)) {
        inside.add(change);
      }
    }
    return inside;
  }
}
