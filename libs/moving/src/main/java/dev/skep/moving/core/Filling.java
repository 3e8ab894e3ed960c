package dev.skep.moving.core;

import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.TaskIntentRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * In which steps a store is filled. Oldest rows first, because their creation orders them: who came first keeps its
 * place. Rows of one step get one revision, so two tasks of a slot come together only if they did before. The cluster's
 * own row is no part of it: it is put last, alone, and until then what lies there is nobody's.
 */
public final class Filling {
  /** Rows of one transaction. */
  static final int MOST_ROWS = 100;
  /** Of one transaction; less than the smallest backend takes. */
  static final int MOST_BYTES = 512 << 10;

  private Filling() {}

  public static List<List<Stored>> steps(Copy copy) {
    List<Stored> rows = new ArrayList<>(copy.rows());
    rows.removeIf(row -> row.path().equals(Rows.cluster().path()));
    rows.sort(Comparator.comparingLong(Stored::createRevision).thenComparing(Stored::path));
    Map<String, String> slots = slots(copy);
    List<List<Stored>> steps = new ArrayList<>();
    List<Stored> step = new ArrayList<>();
    Map<String, Long> age = new HashMap<>(); // of the tasks in this step, by slot
    int bytes = 0;
    for (Stored row : rows) {
      String slot = slots.get(row.path());
      boolean younger = slot != null && age.getOrDefault(slot, row.createRevision()) != row.createRevision();
      if (!step.isEmpty() && (younger || step.size() == MOST_ROWS || bytes + size(row) > MOST_BYTES)) {
        steps.add(List.copyOf(step));
        step.clear();
        age.clear();
        bytes = 0;
      }
      step.add(row);
      bytes += size(row);
      if (slot != null) {
        age.put(slot, row.createRevision());
      }
    }
    if (!step.isEmpty()) {
      steps.add(List.copyOf(step));
    }
    return List.copyOf(steps);
  }

  /** The slot of each task, by the path of its intent. */
  private static Map<String, String> slots(Copy copy) {
    Map<String, String> slots = new HashMap<>();
    copy.state().rows(Rows.INTENT).forEach(row -> {
      TaskIntentRow intent = row.value();
      slots.put(row.key().path(), intent.getServiceId() + "/" + TaskRecord.slotOf(intent));
    });
    return slots;
  }

  private static int size(Stored row) {
    return row.path().length() + row.value().length;
  }
}
