package dev.skep.skepd.faults;

import dev.skep.state.v1.TaskIntentRow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What ran twice, or should never have run. */
final class Doubles {
  private Doubles() {}

  static List<String> of(List<Ledger.Event> events, History history) {
    List<String> violations = new ArrayList<>();
    Set<String> started = new HashSet<>();
    Map<String, String> places = new HashMap<>(); // by slot: the task that runs there
    for (Ledger.Event event : events) {
      TaskIntentRow intent = history.intent(event.task());
      if (intent == null) {
        violations.add(event.node() + " ran a task that the store never held: " + event.task());
        continue;
      }
      String slot = intent.getServiceName() + "." + intent.getSlot();
      if (!event.started()) {
        places.remove(slot, event.task());
        continue;
      }
      if (!started.add(event.task())) {
        violations.add("task " + event.task() + " of " + slot + " was started again, on " + event.node());
      }
      String there = places.put(slot, event.task());
      if (there != null && !there.equals(event.task()) && !history.removedBefore(there, event.task())) {
        violations.add(slot + " had two running tasks: " + there + " and " + event.task());
      }
    }
    return violations;
  }
}
