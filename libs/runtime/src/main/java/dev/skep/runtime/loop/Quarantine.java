package dev.skep.runtime.loop;

import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.Decider;
import dev.skep.state.Delta;
import dev.skep.state.ObjectDecider;
import java.util.HashMap;
import java.util.Map;

/** Objects that a loop cannot decide about, or whose change sets never land, with the reasons. */
final class Quarantine {
  private static final int MOST = 1_000;

  private final Map<String, String> undecided = new HashMap<>();
  private final Map<String, Integer> conflicts = new HashMap<>(); // rounds in which the object's change set conflicted
  private volatile Map<String, String> shown = Map.of();

  Map<String, String> shown() {
    return shown;
  }

  /** After a decision: what it decided about is no longer quarantined, unless it says so again. */
  void decided(Decider decider, ClusterState state, Delta delta, Decision decision) {
    if (undecided.isEmpty() && decision.quarantined().isEmpty()) {
      return;
    }
    if (delta.everything()) {
      undecided.clear();
    } else if (decider instanceof ObjectDecider objects) {
      objects.concerned(state, delta).forEach(undecided::remove);
    }
    undecided.putAll(decision.quarantined());
    show();
  }

  /** In how many rounds the object's change set has conflicted, this one included. */
  int conflicted(String about) {
    if (conflicts.size() > MOST) {
      conflicts.clear();
    }
    return conflicts.merge(about, 1, Integer::sum);
  }

  void landed(String about) {
    if (!conflicts.isEmpty() && conflicts.remove(about) != null) {
      show();
    }
  }

  /** The object is passed over until its change set lands. */
  void show() {
    Map<String, String> all = new HashMap<>(undecided);
    conflicts.forEach((about, rounds) -> {
      if (rounds >= LoopCore.PATIENCE) {
        all.putIfAbsent(about, "its changes met a conflict " + rounds + " times in a row");
      }
    });
    shown = Map.copyOf(all);
  }
}
