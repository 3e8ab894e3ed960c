package dev.skep.scheduler.core;

import dev.skep.api.v1.GenericResource;
import dev.skep.state.NodeRecord;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** A node with what is taken on it. Lives within one decision, and counts what that decision adds. */
final class Candidate {
  private final NodeRecord node;
  private long freeNanoCpus;
  private long freeMemory;
  private final Map<String, Long> freeGeneric = new HashMap<>();
  private final Set<String> hostPorts = new HashSet<>();
  private final Map<String, Integer> liveByService = new HashMap<>();
  private final Map<String, Integer> failures = new HashMap<>();
  private int live;

  Candidate(NodeRecord node) {
    this.node = node;
    var resources = node.status().getDescription().getResources();
    this.freeNanoCpus = resources.getNanoCpus();
    this.freeMemory = resources.getMemoryBytes();
    for (GenericResource resource : resources.getGenericResourcesList()) {
      if (resource.hasDiscreteResourceSpec()) {
        freeGeneric.merge(resource.getDiscreteResourceSpec().getKind(), resource.getDiscreteResourceSpec().getValue(), Long::sum);
      } else {
        freeGeneric.merge(resource.getNamedResourceSpec().getKind(), 1L, Long::sum);
      }
    }
  }

  String id() {
    return node.id();
  }

  NodeRecord node() {
    return node;
  }

  /** A task that has not stopped holds its reservations and ports; one that is meant to go on also counts in the ranking. */
  void occupy(Demand demand, boolean wanted) {
    freeNanoCpus -= demand.nanoCpus();
    freeMemory -= demand.memoryBytes();
    demand.generic().forEach((kind, count) -> freeGeneric.merge(kind, -count, Long::sum));
    hostPorts.addAll(demand.hostPorts());
    if (wanted) {
      live++;
      liveByService.merge(demand.serviceId(), 1, Integer::sum);
    }
  }

  void noteFailure(String serviceId, long template) {
    failures.merge(serviceId + "/" + template, 1, Integer::sum);
  }

  boolean hasRoomFor(Demand demand) {
    return freeNanoCpus >= demand.nanoCpus()
        && freeMemory >= demand.memoryBytes()
        && demand.generic().entrySet().stream().allMatch(e -> freeGeneric.getOrDefault(e.getKey(), 0L) >= e.getValue());
  }

  boolean hasPortsFor(Demand demand) {
    return demand.hostPorts().stream().noneMatch(hostPorts::contains);
  }

  int live() {
    return live;
  }

  int liveOf(String serviceId) {
    return liveByService.getOrDefault(serviceId, 0);
  }

  int failuresOf(Demand demand) {
    return failures.getOrDefault(demand.serviceId() + "/" + demand.template(), 0);
  }
}
