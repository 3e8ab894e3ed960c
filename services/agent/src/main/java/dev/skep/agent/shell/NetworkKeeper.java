package dev.skep.agent.shell;

import dev.skep.agent.core.Drift;
import dev.skep.agent.core.HostFirewall.Need;
import dev.skep.agent.core.NetworkHave;
import dev.skep.agent.core.NetworkWant;
import dev.skep.agent.core.NetworkWant.Overlay;
import dev.skep.agent.core.Ownership;
import dev.skep.agent.core.Remotes;
import dev.skep.agent.core.Vip;
import dev.skep.dispatcher.v1.AttachmentAssignment;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.runtime.Host;
import dev.skep.state.FeedState;
import dev.skep.state.v1.NetworkProblem;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the node's networks at what assignments, feed and edge ask for: one change at a time, the latest wish only.
 * State is the agent's thread's; the work is done on the lane's.
 */
final class NetworkKeeper {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkKeeper.class);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration LONGEST_END = Duration.ofSeconds(30);

  /**
   * What overlays stand on.
   *
   * @param address where other nodes send this node's overlay traffic
   * @param mtu of packets inside of it
   */
  record Underlay(String address, int mtu) {}

  private final Host host;
  private final Executor agent;
  private final NodeNetworks networks;
  private final FirewallGuard firewall;
  private final NetworkDrift drifts;
  private final Ownership ownership;
  private final Underlay underlay;
  private final IntSupplier dnsPort;
  private final Runnable moved;
  private final Lane lane;
  private Map<String, NetworkAssignment> assigned = Map.of();
  private FeedState feed = FeedState.empty();
  private NetworkHave have;
  private Map<String, String> problems = Map.of();
  private Need opened;
  private String hostname = "";
  private String appliedEpoch = "";
  private long appliedRevision;
  private boolean ready;
  private boolean busy;
  private boolean again;
  private boolean looked;
  private final Set<String> hairpins = new HashSet<>(); // the lane's threads, one at a time
  private final Set<String> hairpinWanted = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean hairpinPlanned = new AtomicBoolean();

  NetworkKeeper(
      Host host,
      Executor agent,
      NodeNetworks networks,
      FirewallGuard firewall,
      NetworkDrift drifts,
      Ownership ownership,
      Underlay underlay,
      IntSupplier dnsPort,
      Runnable moved) {
    this.host = host;
    this.agent = agent;
    this.networks = networks;
    this.firewall = firewall;
    this.drifts = drifts;
    this.ownership = ownership;
    this.underlay = underlay;
    this.dnsPort = dnsPort;
    this.moved = moved;
    this.lane = new Lane(host, agent, "agent-network", 1);
  }

  void assigned(Map<String, NetworkAssignment> next) {
    assigned = next;
    networks.assigned(Map.copyOf(next));
    reconcile();
  }

  void feed(FeedState next) {
    feed = next;
    reconcile();
  }

  /** The engine answers: networks can be made. What it has is looked at once; afterwards we know. */
  void engineUp(String host) {
    hostname = host;
    ready = true;
    reconcile();
  }

  /** Feed revision that the rules of this node show, of the epoch. */
  long applied(String epoch) {
    return epoch.equals(appliedEpoch) ? appliedRevision : 0;
  }

  Set<String> standing() {
    return have == null ? Set.of() : have.overlays().keySet();
  }

  SortedSet<String> bridges() {
    SortedSet<String> bridges = new TreeSet<>();
    if (have != null) {
      have.overlays().values().forEach(overlay -> bridges.add(overlay.bridge()));
    }
    return bridges;
  }

  /** Also of those that are being made. */
  Set<String> ownBridges() {
    Set<String> bridges = new TreeSet<>(bridges());
    assigned.values().forEach(network -> bridges.add(ownership.bridge(network.getVni())));
    return bridges;
  }

  List<NetworkProblem> problems() {
    return problems.entrySet().stream()
        .map(problem -> NetworkProblem.newBuilder().setNetworkId(problem.getKey()).setReason(problem.getValue()).build())
        .toList();
  }

  Optional<String> problem(TaskAssignment task) {
    return task.getAttachmentsList().stream()
        .map(AttachmentAssignment::getNetworkId)
        .filter(problems::containsKey)
        .findFirst()
        .map(id -> "network " + (assigned.containsKey(id) ? assigned.get(id).getName() : id) + ": " + problems.get(id));
  }

  /** As they should be now: a bridge that still has an older gateway is made anew, and cannot be while a container is on it. */
  boolean stand(TaskAssignment task) {
    Map<String, Overlay> wanted = overlays();
    return have != null
        && have.loaded()
        && task.getAttachmentsList().stream()
            .map(AttachmentAssignment::getNetworkId)
            .allMatch(id -> have.overlays().containsKey(id) && have.overlays().get(id).equals(wanted.getOrDefault(id, have.overlays().get(id))));
  }

  String resolver(TaskAssignment task) {
    if (task.getAttachmentsCount() == 0 || have == null) {
      return "";
    }
    Overlay first = have.overlays().get(task.getAttachments(0).getNetworkId());
    return first == null ? "" : first.gateway();
  }

  void reconcile() {
    if (!ready) {
      return;
    }
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    FeedState seen = feed;
    NetworkWant want = want();
    NetworkHave before = have;
    lane.run(
        () -> {
          try {
            NetworkHave standing = before == null ? networks.standing() : before.loaded() ? before : left(before);
            NodeNetworks.Applied applied = networks.apply(want, standing, hostname);
            agent.execute(() -> applied(want, applied, seen));
          } catch (EngineException e) {
            LOG.warn("{}; networks are tried again", e.getMessage());
            agent.execute(this::retry);
          }
        });
  }

  private Map<String, Overlay> overlays() {
    Map<String, Overlay> overlays = new TreeMap<>();
    for (NetworkAssignment network : assigned.values()) {
      if (!network.getSubnet().isEmpty() && !network.getGateway().isEmpty() && network.getVni() != 0) {
        overlays.put(network.getId(), Overlay.of(network, ownership, underlay.mtu()));
      }
    }
    return overlays;
  }

  private NetworkWant want() {
    Map<String, Overlay> overlays = overlays();
    return new NetworkWant(
        overlays,
        Vip.of(feed, overlays.keySet()),
        Vip.subnets(feed),
        Vip.endpoints(feed),
        dnsPort.getAsInt(),
        Vip.published(feed),
        Remotes.of(feed, assigned.values(), ownership.nodeId(), underlay.address()));
  }

  private void applied(NetworkWant want, NodeNetworks.Applied applied, FeedState shown) {
    busy = false;
    have = applied.have();
    problems = applied.problems();
    if (have.loaded()) {
      appliedEpoch = shown.epoch();
      appliedRevision = shown.revision();
    }
    Need needed = new Need(bridges(), want.dnsPort(), want.published(), have.members(), have.port());
    if (!needed.equals(opened)) {
      opened = needed;
      guard(true);
    }
    moved.run();
    if (again) {
      again = false;
      reconcile();
    } else if (!applied.settled()) {
      host.after(RETRY, () -> agent.execute(this::reconcile));
    } else if (!looked && !feed.epoch().isEmpty()) {
      looked = true;
      look(); // an earlier life may have ended before it took away the address of a removed service
    }
  }

  private void retry() {
    busy = false;
    again = false;
    host.after(RETRY, () -> agent.execute(this::reconcile));
  }

  /** Looks whether the host's firewall and everything of ours is still what it was. */
  void watch() {
    if (opened != null) {
      guard(false);
    }
    look();
  }

  private void look() {
    if (have != null && have.loaded() && ready && !busy && !feed.epoch().isEmpty()) {
      busy = true;
      NetworkHave before = have;
      lane.run(
          () -> {
            NetworkHave left = left(before);
            agent.execute(() -> looked(left, left != before));
          });
    }
  }

  /**
   * What is left of what we made; bridges that others took away were made again. Also before a plan that failed is tried
   * again: it may have failed because somebody took away what it builds on. Blocking.
   */
  private NetworkHave left(NetworkHave before) {
    try {
      Drift drift = drifts.look(before);
      if (drift.lost() && before.loaded()) {
        LOG.warn("somebody removed {}; made again", drift);
      }
      drifts.mend(drift);
      Set<String> restored = drift.bridges().stream().map(Overlay::bridge).collect(Collectors.toSet());
      if (!restored.isEmpty()) {
        agent.execute(() -> replugged(restored)); // whatever becomes of the plan
      }
      return drift.from(before);
    } catch (EngineException | Commands.Failed e) {
      LOG.warn("what stands of our networks cannot be made sure of: {}; looked at again", e.getMessage());
      return before;
    }
  }

  private void looked(NetworkHave left, boolean lost) {
    busy = false;
    have = left;
    if (again || lost) {
      again = false;
      reconcile();
    }
  }

  /** Containers' ports joined these bridges, which were made again. */
  private void replugged(Set<String> bridges) {
    lane.run(hairpins::clear);
    hairpinWanted.addAll(bridges);
    hairpin();
  }

  private void guard(boolean changed) {
    Need needed = opened;
    lane.run(
        () -> {
          try {
            firewall.apply(needed, changed);
          } catch (Commands.Failed failed) {
            LOG.error("the host's firewall cannot be opened for containers: {}; tried again", failed.getMessage());
          }
        });
  }

  /** Ports of a started container are on these bridges now. */
  void started(TaskAssignment task) {
    if (have == null) {
      return;
    }
    for (AttachmentAssignment attachment : task.getAttachmentsList()) {
      Overlay overlay = have.overlays().get(attachment.getNetworkId());
      if (overlay != null) {
        hairpinWanted.add(overlay.bridge());
      }
    }
    hairpin();
  }

  private void hairpin() {
    if (hairpinWanted.isEmpty() || !hairpinPlanned.compareAndSet(false, true)) {
      return;
    }
    lane.run(
        () -> {
          // Taken when the turn comes, so that one pass serves all that started meanwhile.
          hairpinPlanned.set(false);
          Set<String> wanted = new HashSet<>(hairpinWanted);
          hairpinWanted.removeAll(wanted);
          try {
            networks.hairpin(wanted, hairpins);
          } catch (Commands.Failed failed) {
            LOG.error("hairpin: {}", failed.getMessage());
          }
        });
  }

  /** The node leaves: what is under way is finished, nothing more is begun. */
  void end() {
    ready = false;
    lane.end(LONGEST_END);
  }
}
