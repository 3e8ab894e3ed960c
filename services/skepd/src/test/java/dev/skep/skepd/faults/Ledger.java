package dev.skep.skepd.faults;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What all engines were told to run, in the order of time. */
final class Ledger {
  /** {@code action}: start, die or destroy, as engines say it. */
  record Event(long nanos, String node, String task, String action) {
    boolean started() {
      return action.equals("start");
    }
  }

  private final List<Event> events = new ArrayList<>(); // guarded by this

  synchronized void seen(String node, String task, String action) {
    events.add(new Event(System.nanoTime(), node, task, action));
  }

  synchronized List<Event> events() {
    return List.copyOf(events);
  }

  /** Tasks whose containers run now. */
  Set<String> running() {
    Set<String> running = new TreeSet<>();
    for (Event event : events()) {
      if (event.started()) {
        running.add(event.task);
      } else {
        running.remove(event.task);
      }
    }
    return running;
  }

  /** When each task was started first, by this process's clock. */
  Map<String, Long> starts() {
    Map<String, Long> starts = new HashMap<>();
    events().stream().filter(event -> event.started()).forEach(event -> starts.putIfAbsent(event.task, event.nanos));
    return starts;
  }
}
