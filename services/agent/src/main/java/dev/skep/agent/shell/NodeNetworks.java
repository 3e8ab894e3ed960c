package dev.skep.agent.shell;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.skep.agent.core.NetworkHave;
import dev.skep.agent.core.NetworkPlan;
import dev.skep.agent.core.NetworkStep;
import dev.skep.agent.core.NetworkWant;
import dev.skep.agent.core.NetworkWant.Overlay;
import dev.skep.agent.core.Ownership;
import dev.skep.agent.core.Tunnel;
import dev.skep.agent.shell.EngineException.Refused;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.state.Subnet;
import io.prometheus.client.Counter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings engine networks, bridges, rules and routes of this node to what is wanted. Blocking; one call at a time. */
final class NodeNetworks {
  /**
   * @param have what stands now
   * @param problems network id to the reason why it does not stand
   * @param settled all that was wanted stands; false: try again later
   */
  record Applied(NetworkHave have, Map<String, String> problems, boolean settled) {}

  private static final Logger LOG = LoggerFactory.getLogger(NodeNetworks.class);

  private final Engine engine;
  private final Commands commands;
  private final Ownership ownership;
  private final RandomGenerator random;
  private final Counter ruleChanges;
  private volatile Map<String, NetworkAssignment> assigned = Map.of();
  private final TunnelDevices tunnels;
  private boolean leftovers; // networks of an older identity that could not be removed yet

  NodeNetworks(Engine engine, Commands commands, Ownership ownership, RandomGenerator random, Counter ruleChanges) {
    this.engine = engine;
    this.commands = commands;
    this.ownership = ownership;
    this.random = random;
    this.ruleChanges = ruleChanges;
    this.tunnels = new TunnelDevices(commands, ownership);
  }

  /** What users call the networks that are made from now on: a worker's API knows it from the engine only. */
  void assigned(Map<String, NetworkAssignment> networks) {
    assigned = networks;
  }

  /** Networks of ours that the engine has, as they were made. Rules count as unknown: the first plan loads them anew. */
  NetworkHave standing() throws EngineException {
    Map<String, Overlay> overlays = new TreeMap<>();
    for (JsonNode network : ours(engine, ownership.instance())) {
      Overlay overlay = overlay(network);
      if (ownership.owns(labels(network))) {
        overlays.put(overlay.id(), overlay);
      } else {
        removeLeftover(network);
      }
    }
    return NetworkHave.nothing(overlays);
  }

  static List<JsonNode> ours(Engine engine, String instance) throws EngineException {
    List<JsonNode> found = new ArrayList<>();
    for (JsonNode network : engine.get("/networks?filters=" + Engine.filters(Map.of("label", List.of(Ownership.NETWORK))))) {
      if (Ownership.ofInstance(instance, labels(network))) {
        found.add(network);
      }
    }
    return found;
  }

  static Map<String, String> labels(JsonNode object) {
    Map<String, String> labels = new HashMap<>();
    object.path("Labels").properties().forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
    return labels;
  }

  private static Overlay overlay(JsonNode network) {
    JsonNode options = network.path("Options");
    JsonNode pool = network.path("IPAM").path("Config").path(0);
    return new Overlay(
        network.path("Labels").path(Ownership.NETWORK).asText(),
        bridge(network),
        network.path("Labels").path("skep.vni").asInt(),
        pool.path("Subnet").asText(),
        pool.path("Gateway").asText(),
        options.path("com.docker.network.driver.mtu").asInt(),
        network.path("Internal").asBoolean());
  }

  /** Once more: containers of the older identity may have been on them when they were first tried. */
  private void removeLeftovers() throws EngineException {
    leftovers = false;
    for (JsonNode network : ours(engine, ownership.instance())) {
      if (!ownership.owns(labels(network))) {
        removeLeftover(network);
      }
    }
  }

  /** Of an older identity of this instance. It stays as long as containers are on it. */
  private void removeLeftover(JsonNode network) throws EngineException {
    try {
      engine.delete("/networks/" + network.path("Id").asText());
      dropBridge(commands, bridge(network));
      LOG.info("removed network {} of an older identity of this node", network.path("Name").asText());
    } catch (Refused refused) {
      leftovers = true;
      LOG.warn("network {} of an older identity of this node stays for now: {}", network.path("Name").asText(), refused.getMessage());
    }
  }

  Applied apply(NetworkWant want, NetworkHave known, String hostname) throws EngineException {
    if (leftovers) {
      removeLeftovers();
    }
    NetworkHave have;
    try {
      have = known.loaded() ? known : known.withReach(tunnels.look(known));
    } catch (Commands.Failed failed) {
      LOG.error("the ways to other nodes cannot be read: {}; tried again", failed.getMessage());
      return new Applied(known, Map.of(), false);
    }
    boolean fresh = want.overlays().values().stream().anyMatch(overlay -> !overlay.equals(have.overlays().get(overlay.id())));
    Collection<String> routes;
    try {
      routes = fresh ? HostRoutes.foreign(HostRoutes.all(commands), bridges(have)) : List.of();
    } catch (Commands.Failed failed) {
      LOG.error("the host's routes cannot be read, so no network is made: {}", failed.getMessage());
      return new Applied(have, Map.of(), false);
    }
    NetworkPlan plan = NetworkPlan.diff(want, have, ownership, routes, hostname, random.nextInt());
    return carryOut(plan);
  }

  private static Set<String> bridges(NetworkHave have) {
    Set<String> bridges = new HashSet<>();
    have.overlays().values().forEach(overlay -> bridges.add(overlay.bridge()));
    return bridges;
  }

  private Applied carryOut(NetworkPlan plan) throws EngineException {
    Progress progress = new Progress(plan);
    progress.settled = !leftovers;
    for (NetworkStep step : plan.steps()) {
      try {
        carryOut(step, progress);
      } catch (Commands.Failed failed) {
        progress.settled = false;
        progress.loaded = false; // the next plan loads everything anew, which is safe under traffic
        LOG.error("{}; tried again", failed.getMessage());
      }
    }
    return progress.applied();
  }

  private void carryOut(NetworkStep step, Progress progress) throws EngineException, Commands.Failed {
    switch (step) {
      case NetworkStep.Rules rules -> {
        commands.feed(rules.script(), "nft", "-f", "-");
        ruleChanges.inc();
      }
      case NetworkStep.CreateNetwork(Overlay overlay) ->
          create(overlay, progress.staying).ifPresent(problem -> progress.notMade(overlay, ownership.tunnel(overlay.vni()), problem));
      case NetworkStep.RemoveNetwork(Overlay overlay) -> {
        if (!remove(overlay)) {
          progress.stays(overlay);
        }
      }
      case NetworkStep.RemoveTunnel(String device) -> tunnels.remove(device);
      case NetworkStep.CreateTunnel(Tunnel tunnel) -> {
        if (!progress.absent.contains(tunnel.bridge())) {
          tunnels.create(tunnel).ifPresent(problem -> progress.notMade(tunnel, problem));
        }
      }
      case NetworkStep.BridgeAddress address -> address(address, progress.absent);
      case NetworkStep.Ip ip -> batch("ip", ip.lines(), progress.absent);
      case NetworkStep.Bridge bridge -> batch("bridge", bridge.lines(), progress.absent);
      case NetworkStep.Sysctl sysctl -> sysctl(sysctl, progress.absent);
      case NetworkStep.ForgetUdp forget -> forgetUdp(forget.backend());
    }
  }

  /** What a plan has come to so far. */
  private static final class Progress {
    private final Map<String, String> problems;
    private final Map<String, Overlay> overlays;
    private final Set<String> absent = new HashSet<>(); // devices that later steps cannot find
    private final List<Overlay> staying = new ArrayList<>();
    private NetworkHave then;
    private boolean loaded = true;
    private boolean settled;

    Progress(NetworkPlan plan) {
      then = plan.then();
      problems = new TreeMap<>(plan.problems());
      overlays = new TreeMap<>(then.overlays());
    }

    void notMade(Overlay overlay, String device, String problem) {
      settled = false;
      overlays.remove(overlay.id());
      absent.add(overlay.bridge());
      absent.add(device);
      then = then.withReach(then.reach().without(device));
      if (!problem.isEmpty()) {
        problems.put(overlay.id(), problem);
      }
    }

    void notMade(Tunnel tunnel, String problem) {
      settled = false;
      absent.add(tunnel.device());
      then = then.withReach(then.reach().without(tunnel.device()));
      overlays.values().stream().filter(overlay -> overlay.bridge().equals(tunnel.bridge())).forEach(overlay -> problems.put(overlay.id(), problem));
    }

    void stays(Overlay overlay) {
      settled = false;
      staying.add(overlay);
      overlays.putIfAbsent(overlay.id(), overlay);
    }

    Applied applied() {
      return new Applied(then.with(loaded, Map.copyOf(overlays)), Map.copyOf(problems), settled);
    }
  }

  /** @return why it could not be made; "" when it only has to wait for another one to go */
  private Optional<String> create(Overlay overlay, List<Overlay> staying) throws EngineException {
    Subnet subnet = Subnet.parse(overlay.subnet());
    if (staying.stream().anyMatch(old -> old.id().equals(overlay.id()) || Subnet.parse(old.subnet()).overlaps(subnet))) {
      return Optional.of("");
    }
    try {
      engine.post("/networks/create", body(overlay));
      return Optional.empty();
    } catch (Refused refused) {
      LOG.warn("network {} is not made: {}", overlay.id(), refused.getMessage());
      return Optional.of(refused.getMessage());
    }
  }

  private Map<String, Object> body(Overlay overlay) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("Name", Ownership.engineNetwork(overlay.id()));
    body.put("CheckDuplicate", true);
    body.put("Driver", "bridge");
    body.put("Internal", overlay.internal());
    // The range holds the gateway alone: the engine itself can never give out a VIP or a task's address.
    body.put(
        "IPAM",
        Map.of(
            "Driver", "default",
            "Config", List.of(Map.of("Subnet", overlay.subnet(), "Gateway", overlay.gateway(), "IPRange", overlay.gateway() + "/32"))));
    body.put(
        "Options",
        Map.of("com.docker.network.bridge.name", overlay.bridge(), "com.docker.network.driver.mtu", Integer.toString(overlay.mtu())));
    Map<String, String> labels = new TreeMap<>(ownership.networkLabels(overlay.id()));
    labels.put("skep.vni", Integer.toString(overlay.vni()));
    NetworkAssignment network = assigned.getOrDefault(overlay.id(), NetworkAssignment.getDefaultInstance());
    labels.put(Ownership.NETWORK_NAME, network.getName());
    labels.put(Ownership.INGRESS, Boolean.toString(network.getIngress()));
    body.put("Labels", labels);
    return body;
  }

  /** @return false while containers are on it */
  private boolean remove(Overlay overlay) throws EngineException {
    try {
      engine.delete("/networks/" + Ownership.engineNetwork(overlay.id()));
      dropBridge(commands, overlay.bridge());
      return true;
    } catch (Refused refused) {
      LOG.debug("network {}: {}", overlay.id(), refused.getMessage());
      return refused.status() == 404;
    }
  }

  /** The engine takes its bridge along, but not one that we had to make again in its place. */
  static void dropBridge(Commands commands, String bridge) {
    try {
      commands.run("ip", "link", "del", "dev", bridge);
    } catch (Commands.Failed gone) {
      LOG.debug("bridge {}: {}", bridge, gone.getMessage());
    }
  }

  static String bridge(JsonNode network) {
    return network.path("Options").path("com.docker.network.bridge.name").asText();
  }

  private void address(NetworkStep.BridgeAddress step, Set<String> absent) throws Commands.Failed {
    if (absent.contains(step.bridge())) {
      return;
    }
    try {
      JsonNode link = Engine.JSON.readTree(commands.run("ip", "-j", "link", "show", "dev", step.bridge()));
      if (!link.path(0).path("address").asText().equals(step.mac())) {
        commands.run("ip", "link", "set", "dev", step.bridge(), "address", step.mac());
      }
    } catch (JsonProcessingException e) {
      throw new Commands.Failed("ip printed no JSON: " + e.getOriginalMessage());
    }
  }

  private void batch(String program, List<String> lines, Set<String> absent) throws Commands.Failed {
    List<String> possible =
        lines.stream().filter(line -> absent.stream().noneMatch(device -> (line + " ").contains(" " + device + " "))).toList();
    if (!possible.isEmpty()) {
      commands.feed(String.join("\n", possible) + "\n", program, "-batch", "-");
    }
  }

  private void sysctl(NetworkStep.Sysctl sysctl, Set<String> absent) throws Commands.Failed {
    if (absent.stream().noneMatch(device -> sysctl.key().contains("." + device + "."))) {
      // A kernel without IPv6 lacks some of the keys.
      commands.run("sysctl", "-q", "-e", "-w", sysctl.key() + "=" + sysctl.value());
    }
  }

  private void forgetUdp(String backend) {
    try {
      commands.run("conntrack", "-D", "-p", "udp", "--reply-src", backend);
    } catch (Commands.Failed none) {
      LOG.debug("no UDP flow to {}: {}", backend, none.getMessage()); // the program fails when there was nothing to delete
    }
  }

  /** Lets packets go back out of the port they came in by: a caller that is itself a backend needs it. */
  void hairpin(Collection<String> bridges, Set<String> done) throws Commands.Failed {
    StringBuilder lines = new StringBuilder();
    Set<String> seen = new HashSet<>();
    for (String bridge : bridges) {
      try {
        for (JsonNode port : Engine.JSON.readTree(commands.run("ip", "-j", "link", "show", "type", "veth", "master", bridge))) {
          String name = port.path("ifname").asText("");
          String known = name + "#" + port.path("ifindex").asInt();
          if (!name.isEmpty() && seen.add(known) && !done.contains(known)) {
            lines.append("link set dev ").append(name).append(" hairpin on\n");
          }
        }
      } catch (JsonProcessingException e) {
        throw new Commands.Failed("ip printed no JSON: " + e.getOriginalMessage());
      }
    }
    if (!lines.isEmpty()) {
      commands.feed(lines.toString(), "bridge", "-force", "-batch", "-"); // a port may go while we look
    }
    done.retainAll(seen);
    done.addAll(seen);
  }
}
