package dev.skep.orchestrator.core;

import dev.skep.api.v1.ServiceMode;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.v1.NodeSpecRow;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides for each service which tasks should exist and what is wanted of them. A change of one task concerns its slot
 * only; changes of the service, or of the number of its live tasks, concern the service.
 */
public final class OrchestratorDecider implements Decider {
  @Override
  public Decision decide(ClusterState state, Delta since, Tick tick) {
    Decision.Builder decision = Decision.builder();
    Ids ids = new Ids(tick.ids());
    Concerned.by(state, since)
        .forEach(
            (serviceId, slots) -> {
              Plan plan = new Plan(serviceId);
              try {
                decideService(state, tick.now(), ids, serviceId, slots, plan);
              } catch (RuntimeException e) {
                decision.quarantine(serviceId, e.toString());
                return;
              }
              plan.into(decision);
            });
    return decision.build();
  }

  private static void decideService(ClusterState state, Instant now, Ids ids, String serviceId, Set<String> slots, Plan plan) {
    EffectiveSpec spec = EffectiveSpec.of(state, serviceId);
    if (spec == null) {
      remove(state, now, serviceId, slots, plan);
      return;
    }
    ServiceMode mode = spec.request().getMode();
    if (mode.hasReplicatedJob() || mode.hasGlobalJob()) {
      return; // jobs come later: their tasks are neither made nor touched here
    }
    Case service = new Case(state, now, ids, spec, plan);
    if (slots.equals(Concerned.WHOLE) || Rollout.proceeding(service) || !decideSlots(service, slots)) {
      decideWhole(service);
    }
  }

  private static void remove(ClusterState state, Instant now, String serviceId, Set<String> keys, Plan plan) {
    boolean whole = keys.equals(Concerned.WHOLE);
    var slots = whole ? Slot.loadAll(state, serviceId).values() : keys.stream().map(key -> Slot.load(state, serviceId, key)).toList();
    slots.forEach(slot -> Removal.decide(slot, now));
    plan.write(slots);
    if (whole && state.has(Rows.ROLLOUT.key(serviceId))) {
      plan.deleteRollout();
    }
  }

  /** False: what was found in the slots concerns the whole service; nothing is to be written then. */
  private static boolean decideSlots(Case service, Set<String> keys) {
    int idsBefore = service.ids().position();
    List<Slot> slots = keys.stream().map(key -> Slot.load(service.state(), service.spec().serviceId(), key)).toList();
    for (Slot slot : slots) {
      boolean filled = slot.current() != null;
      decideSlot(service, slot);
      boolean lost = filled && slot.current() == null && !service.spec().global();
      if (lost || Rollout.outdated(service, slot) && !Rollout.paused(service)) {
        service.ids().backTo(idsBefore);
        return false;
      }
      Reaper.trim(slot, service.history());
    }
    service.plan().write(slots);
    return true;
  }

  private static void decideWhole(Case service) {
    Map<String, Slot> slots = Slot.loadAll(service.state(), service.spec().serviceId());
    boolean global = service.spec().global();
    if (global) {
      for (Row<NodeSpecRow> node : service.state().rows(Rows.NODE_SPEC)) {
        slots.computeIfAbsent(node.key().lastPart(), Slot::new);
      }
    }
    Rollout rollout = new Rollout(service, slots.values());
    rollout.watch();
    slots.values().forEach(slot -> decideSlot(service, slot));
    if (!global) {
      Replicated.scale(service, slots);
    }
    rollout.proceed();
    for (Slot slot : slots.values()) {
      Reaper.removeGone(slot);
      Reaper.trim(slot, service.history());
    }
    rollout.write();
    service.plan().write(slots.values());
  }

  private static void decideSlot(Case service, Slot slot) {
    slot.live().forEach(task -> Rollout.adopt(service, task));
    if (service.spec().global()) {
      Global.decide(service, slot);
    } else {
      for (Task task : slot.live()) {
        Drain.decide(service, slot, task);
        Restarts.decide(service, slot, task);
      }
    }
    Reaper.removeGone(slot); // else one that goes now could pass for the slot's current task
    Rollout.retire(service, slot);
    Reaper.removeGone(slot);
    Restarts.startWaiting(service, slot);
  }
}
