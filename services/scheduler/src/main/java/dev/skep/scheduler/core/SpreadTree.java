package dev.skep.scheduler.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;

/**
 * The fitting nodes of one template, branched by its spread preferences: at each level the branch with the fewest tasks
 * of the service comes first, and in a leaf the best ranked node. Nodes without the label form a branch of their own.
 */
final class SpreadTree {
  private static final String NODE_LABELS = "node.labels.";
  private static final String ENGINE_LABELS = "engine.labels.";

  private final Demand demand;
  private final List<SpreadTree> branches;
  private final PriorityQueue<Candidate> leaf;
  private int tasks;

  private SpreadTree(Demand demand, List<Candidate> candidates, int level) {
    this.demand = demand;
    this.tasks = candidates.stream().mapToInt(candidate -> candidate.liveOf(demand.serviceId())).sum();
    if (level == demand.spread().size()) {
      this.branches = List.of();
      this.leaf = new PriorityQueue<>(Math.max(1, candidates.size()), Ranking.of(demand));
      this.leaf.addAll(candidates);
      return;
    }
    Map<String, List<Candidate>> byLabel = new TreeMap<>();
    for (Candidate candidate : candidates) {
      byLabel.computeIfAbsent(label(candidate, demand.spread().get(level)), label -> new ArrayList<>()).add(candidate);
    }
    this.leaf = null;
    this.branches = new ArrayList<>();
    byLabel.values().forEach(part -> branches.add(new SpreadTree(demand, part, level + 1)));
  }

  static SpreadTree of(Demand demand, List<Candidate> candidates) {
    return new SpreadTree(demand, candidates, 0);
  }

  /** The best node for one more task, which is counted on it; null when none is left. */
  Candidate take() {
    Candidate taken = leaf == null ? takeFromBranch() : takeFromLeaf();
    if (taken != null) {
      tasks++;
    }
    return taken;
  }

  private Candidate takeFromBranch() {
    List<SpreadTree> inOrder = new ArrayList<>(branches);
    inOrder.sort(Comparator.comparingInt(branch -> branch.tasks)); // stable: equal branches stay in the order of their labels
    for (SpreadTree branch : inOrder) {
      Candidate taken = branch.take();
      if (taken != null) {
        return taken;
      }
      branches.remove(branch); // full: it will not have room again within this decision
    }
    return null;
  }

  private Candidate takeFromLeaf() {
    Candidate best = leaf.poll();
    if (best == null) {
      return null;
    }
    best.occupy(demand, true);
    if (Pipeline.rejects(demand, best) == null) {
      leaf.add(best); // ranked anew
    }
    return best;
  }

  private static String label(Candidate candidate, String descriptor) {
    if (descriptor.regionMatches(true, 0, NODE_LABELS, 0, NODE_LABELS.length())) {
      return candidate.node().spec().getSpec().getLabelsOrDefault(descriptor.substring(NODE_LABELS.length()), "");
    }
    if (descriptor.regionMatches(true, 0, ENGINE_LABELS, 0, ENGINE_LABELS.length())) {
      var engine = candidate.node().status().getDescription().getEngine();
      return engine.getLabelsOrDefault(descriptor.substring(ENGINE_LABELS.length()), "");
    }
    return ""; // no such property: all nodes are one branch
  }
}
