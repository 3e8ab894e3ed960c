package dev.skep.orchestrator.core;

import dev.skep.state.v1.TaskState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Keeps as many slots filled as the service has replicas. */
final class Replicated {
  private Replicated() {}

  static void scale(Case service, Map<String, Slot> slots) {
    List<Slot> filled = slots.values().stream().filter(slot -> slot.current() != null).toList();
    long wanted = service.spec().replicas();
    if (filled.size() > wanted) {
      List<Slot> ranked = inOrderOfStay(filled);
      ranked.subList((int) wanted, ranked.size()).forEach(slot -> remove(service, slot));
      return;
    }
    long missing = wanted - filled.size();
    for (long number = 1; missing > 0; number++) {
      Slot slot = slots.computeIfAbsent(Long.toString(number), Slot::new);
      if (slot.current() == null) {
        service.create(slot);
        missing--;
      }
    }
  }

  static void remove(Case service, Slot slot) {
    for (Task task : slot.tasks()) {
      if (!task.deleted()) {
        task.want(TaskState.TASK_REMOVE, service.now());
      }
    }
  }

  private record Ranked(Slot slot, int copy) {}

  /** Who stays longest comes first: nodes lose their surplus copies before anything else, then what does not run, then high slots. */
  private static List<Slot> inOrderOfStay(List<Slot> filled) {
    List<Slot> byStanding = new ArrayList<>(filled);
    byStanding.sort(Comparator.comparing((Slot slot) -> !slot.running()).thenComparing(Slot::key, Slot.ORDER));
    Map<String, Integer> copies = new HashMap<>();
    List<Ranked> ranked = new ArrayList<>();
    for (Slot slot : byStanding) {
      List<Task> live = slot.live();
      boolean settled = live.size() == 1 && live.getFirst().node() != null;
      ranked.add(new Ranked(slot, settled ? copies.merge(live.getFirst().node().id(), 1, Integer::sum) : Integer.MAX_VALUE));
    }
    ranked.sort(Comparator.comparingInt(Ranked::copy));
    return ranked.stream().map(Ranked::slot).toList();
  }
}
