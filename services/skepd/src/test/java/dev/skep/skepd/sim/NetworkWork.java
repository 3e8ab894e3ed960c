package dev.skep.skepd.sim;

import dev.skep.agent.core.NetworkHave;
import dev.skep.agent.core.NetworkPlan;
import dev.skep.agent.core.NetworkStep;
import dev.skep.agent.core.NetworkWant;
import dev.skep.agent.core.NetworkWant.Overlay;
import dev.skep.agent.core.Ownership;
import dev.skep.agent.core.Remotes;
import dev.skep.agent.core.Vip;
import dev.skep.dispatcher.v1.AttachmentAssignment;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.state.FeedState;
import dev.skep.testkit.sim.SimProcess;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Carries out the real {@link NetworkPlan} of a node: one plan at a time, begun anew when a step fails. */
final class NetworkWork {
  private static final int MTU = 1450;
  private static final Duration RULES = Duration.ofMillis(4);
  private static final Duration RETRY = Duration.ofMillis(300);

  private final SimNode node;
  private final SimProcess process;
  private final Ownership ownership;
  private final Runnable changed;
  private NetworkHave have;
  private Map<String, Overlay> overlays = Map.of();
  private Collection<NetworkAssignment> assigned = List.of();
  private FeedState feed = FeedState.empty();
  private Map<String, String> problems = Map.of();
  private String appliedEpoch = "";
  private long applied;
  private boolean busy;
  private boolean again;

  NetworkWork(SimNode node, Ownership ownership, Runnable changed) {
    this.node = node;
    this.process = node.process();
    this.ownership = ownership;
    this.changed = changed;
  }

  void start() {
    have = NetworkHave.nothing(own());
  }

  /** What stands on the engine and was made by this node. */
  private Map<String, Overlay> own() {
    Map<String, Overlay> own = new TreeMap<>();
    node.engine().networks().forEach((id, standing) -> {
      if (standing.nodeId().equals(node.id())) {
        own.put(id, standing.overlay());
      }
    });
    return own;
  }

  private List<String> leftovers() {
    return node.engine().networks().entrySet().stream()
        .filter(entry -> !entry.getValue().nodeId().equals(node.id()))
        .map(Map.Entry::getKey)
        .toList();
  }

  Set<String> standing() {
    return have == null ? Set.of() : have.overlays().keySet();
  }

  @Override
  public String toString() {
    return "have " + (have == null ? "nothing" : have.overlays().keySet()) + ", problems " + problems + (busy ? ", busy" : "") + (again ? ", again" : "");
  }

  /** The revision that the rules show, of the epoch. */
  long appliedFeed(String epoch) {
    return epoch.equals(appliedEpoch) ? applied : 0;
  }

  /** All networks of the task stand as they should: a bridge with an older gateway is made anew first. */
  boolean stand(TaskAssignment task) {
    for (AttachmentAssignment attachment : task.getAttachmentsList()) {
      Overlay stands = have == null ? null : have.overlays().get(attachment.getNetworkId());
      if (stands == null || !stands.equals(overlays.getOrDefault(attachment.getNetworkId(), stands))) {
        return false;
      }
    }
    return true;
  }

  Map<String, String> problems() {
    return problems;
  }

  String problemOf(TaskAssignment task) {
    for (AttachmentAssignment attachment : task.getAttachmentsList()) {
      String problem = problems.get(attachment.getNetworkId());
      if (problem != null) {
        return problem;
      }
    }
    return "";
  }

  void want(Map<String, NetworkAssignment> networks, FeedState newFeed) {
    Map<String, Overlay> wanted = new TreeMap<>();
    networks.forEach((id, network) -> wanted.put(id, Overlay.of(network, ownership, MTU)));
    overlays = wanted;
    assigned = List.copyOf(networks.values());
    feed = newFeed;
    go();
  }

  private void go() {
    if (have == null || busy) {
      again = true;
      return;
    }
    again = false;
    busy = true;
    sweep(leftovers(), 0);
  }

  /** Networks of older identities go as soon as nothing is on them any more; this node's own do not wait for that. */
  private void sweep(List<String> leftovers, int next) {
    if (next < leftovers.size()) {
      node.engine().removeNetwork(leftovers.get(next), process.mine(answer -> sweep(leftovers, next + 1)));
      return;
    }
    FeedState shown = feed;
    NetworkWant want = new NetworkWant(
        overlays, Vip.of(feed, overlays.keySet()), Vip.subnets(feed), Vip.endpoints(feed), 0, Vip.published(feed),
        Remotes.of(feed, assigned, node.id(), node.address()));
    NetworkPlan plan = NetworkPlan.diff(want, have, ownership, Set.of(), node.id(), 0);
    problems = plan.problems();
    carryOut(plan, shown, 0);
  }

  private void carryOut(NetworkPlan plan, FeedState shown, int next) {
    List<NetworkStep> steps = plan.steps();
    if (next == steps.size()) {
      have = plan.then();
      appliedEpoch = shown.epoch();
      applied = shown.revision();
      over();
      return;
    }
    switch (steps.get(next)) {
      case NetworkStep.CreateNetwork create ->
          node.engine().createNetwork(create.overlay(), node.id(), process.mine(answer -> answered(plan, shown, next, answer)));
      case NetworkStep.RemoveNetwork remove ->
          node.engine().removeNetwork(remove.overlay().id(), process.mine(answer -> answered(plan, shown, next, answer)));
      case NetworkStep.Rules _ -> process.after(RULES, () -> carryOut(plan, shown, next + 1));
      case NetworkStep.BridgeAddress _, NetworkStep.Ip _, NetworkStep.Bridge _, NetworkStep.Sysctl _, NetworkStep.ForgetUdp _, NetworkStep.CreateTunnel _,
          NetworkStep.RemoveTunnel _ -> carryOut(plan, shown, next + 1);
    }
  }

  private void answered(NetworkPlan plan, FeedState shown, int next, SimEngine.Answer answer) {
    if (answer instanceof SimEngine.Answer.Done) {
      carryOut(plan, shown, next + 1);
      return;
    }
    have = NetworkHave.nothing(own());
    again = false;
    process.after(RETRY, () -> {
      busy = false;
      go();
    });
    changed.run();
  }

  private void over() {
    busy = false;
    changed.run();
    if (again) {
      go();
    } else if (!leftovers().isEmpty()) {
      process.after(RETRY, this::go);
    }
  }
}
