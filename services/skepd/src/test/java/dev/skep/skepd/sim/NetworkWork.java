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
  private long applied;
  private boolean busy;
  private boolean again;

  NetworkWork(SimNode node, Ownership ownership, Runnable changed) {
    this.node = node;
    this.process = node.process();
    this.ownership = ownership;
    this.changed = changed;
  }

  void start(Map<String, Overlay> standing) {
    have = NetworkHave.nothing(new TreeMap<>(standing));
  }

  @Override
  public String toString() {
    return "have " + (have == null ? "nothing" : have.overlays().keySet()) + ", problems " + problems + (busy ? ", busy" : "") + (again ? ", again" : "");
  }

  long appliedFeed() {
    return applied;
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
    long revision = feed.revision();
    NetworkWant want = new NetworkWant(
        overlays, Vip.of(feed, overlays.keySet()), Vip.subnets(feed), Vip.endpoints(feed), 0, Vip.published(feed),
        Remotes.of(feed, assigned, node.id(), node.address()));
    NetworkPlan plan = NetworkPlan.diff(want, have, ownership, Set.of(), node.id(), 0);
    problems = plan.problems();
    carryOut(plan, revision, 0);
  }

  private void carryOut(NetworkPlan plan, long revision, int next) {
    List<NetworkStep> steps = plan.steps();
    if (next == steps.size()) {
      have = plan.then();
      applied = Math.max(applied, revision);
      over();
      return;
    }
    switch (steps.get(next)) {
      case NetworkStep.CreateNetwork create -> node.engine().createNetwork(create.overlay(), process.mine(answer -> answered(plan, revision, next, answer)));
      case NetworkStep.RemoveNetwork remove ->
          node.engine().removeNetwork(remove.overlay().id(), process.mine(answer -> answered(plan, revision, next, answer)));
      case NetworkStep.Rules _ -> process.after(RULES, () -> carryOut(plan, revision, next + 1));
      case NetworkStep.Ip _, NetworkStep.Bridge _, NetworkStep.Sysctl _, NetworkStep.ForgetUdp _, NetworkStep.CreateTunnel _,
          NetworkStep.RemoveTunnel _ -> carryOut(plan, revision, next + 1);
    }
  }

  private void answered(NetworkPlan plan, long revision, int next, SimEngine.Answer answer) {
    if (answer instanceof SimEngine.Answer.Done) {
      carryOut(plan, revision, next + 1);
      return;
    }
    have = NetworkHave.nothing(new TreeMap<>(node.engine().networks()));
    again = false;
    busy = true;
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
    }
  }
}
