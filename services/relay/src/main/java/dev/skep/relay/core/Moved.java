package dev.skep.relay.core;

import java.util.List;

/** All that one revision of the store changed. */
public record Moved(long revision, List<Change> changes) {
  int size() {
    return changes.stream().mapToInt(Change::size).sum();
  }
}
