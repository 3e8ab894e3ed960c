package dev.skep.orchestrator.core;

import dev.skep.state.ChangeSet;
import dev.skep.state.Decision;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.RolloutRow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Collects what is to be written about one service, and packs it into change sets of bounded size. */
final class Plan {
  private final String serviceId;
  private final List<ChangeSet.Builder> sets = new ArrayList<>();
  private Instant wakeAt;
  private ChangeSet.Builder puts; // the set being filled; null between sets
  private boolean guarded; // it already asks that the service be there

  Plan(String serviceId) {
    this.serviceId = serviceId;
  }

  void wakeAt(Instant time) {
    if (wakeAt == null || time.isBefore(wakeAt)) {
      wakeAt = time;
    }
  }

  /** Only if the service is still there. */
  void putRollout(RolloutRow row) {
    sets.add(ChangeSet.about(serviceId).present(Rows.SERVICE.key(serviceId)).put(Rows.ROLLOUT.key(serviceId), row));
  }

  void deleteRollout() {
    sets.add(ChangeSet.about(serviceId).delete(Rows.ROLLOUT.key(serviceId)));
  }

  void write(Collection<Slot> slots) {
    for (Slot slot : slots) {
      put(slot);
      slot.tasks().stream().filter(task -> task.deleted() && !task.fresh()).forEach(this::delete);
    }
    flush();
  }

  /** The puts of one slot belong together: who leaves and who takes the place. */
  private void put(Slot slot) {
    List<Task> changed = slot.tasks().stream().filter(task -> task.changed() && !task.deleted()).toList();
    if (puts != null && puts.operations() + changed.size() + 1 > ChangeSet.MAX_OPERATIONS) {
      flush();
    }
    for (Task task : changed) {
      if (puts == null || puts.operations() + 2 > ChangeSet.MAX_OPERATIONS) {
        flush();
        puts = ChangeSet.about(serviceId);
      }
      if (task.fresh() && !guarded) {
        puts.present(Rows.SERVICE.key(serviceId));
        guarded = true;
      }
      puts.put(Rows.INTENT.key(task.id()), task.intent());
    }
  }

  /** A task that was never placed may be deleted only as long as that holds: else a container would lose its address while it runs. */
  private void delete(Task task) {
    ChangeSet.Builder set = ChangeSet.about(serviceId).delete(Rows.INTENT.key(task.id()));
    if (!task.placed()) {
      Key<PlacementRow> placement = Rows.PLACEMENT.key(task.id());
      Row<PlacementRow> row = task.placementRow();
      if (row == null) {
        set.absent(placement);
      } else {
        set.unmodified(row);
      }
    }
    sets.add(set);
  }

  private void flush() {
    if (puts != null) {
      sets.add(puts);
      puts = null;
      guarded = false;
    }
  }

  void into(Decision.Builder decision) {
    sets.forEach(decision::change);
    if (wakeAt != null) {
      decision.wakeAt(wakeAt);
    }
  }
}
