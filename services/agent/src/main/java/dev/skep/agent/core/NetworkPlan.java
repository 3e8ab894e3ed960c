package dev.skep.agent.core;

import dev.skep.agent.core.NetworkHave.Slots;
import dev.skep.agent.core.NetworkWant.Overlay;
import dev.skep.state.Subnet;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * From what stands to what should stand. Rules for an overlay come before its bridge, because a bridge that the rules do
 * not know is closed; routes to VIPs come after it, because they need the device.
 *
 * @param problems network id to the reason why it is not made on this node
 * @param then what stands when all steps have succeeded
 */
public record NetworkPlan(List<NetworkStep> steps, Map<String, String> problems, NetworkHave then) {

  /**
   * @param hostRoutes networks in the host's routing table that are not ours
   * @param hostname for the reader of problems
   * @param rotation a random number: where a VIP's count starts when its number of backends has changed
   */
  public static NetworkPlan diff(
      NetworkWant want, NetworkHave have, Ownership ownership, Collection<String> hostRoutes, String hostname, int rotation) {
    Map<String, String> problems = new TreeMap<>();
    Map<String, Overlay> overlays = new TreeMap<>();
    want.overlays()
        .forEach(
            (id, overlay) -> {
              String problem = overlap(overlay, want.remotes(), have, hostRoutes, hostname);
              if (problem.isEmpty()) {
                overlays.put(id, overlay);
              } else {
                problems.put(id, problem);
              }
            });
    Map<String, Slots> vips = slots(want, overlays, have, rotation);
    SortedSet<String> subnets = new TreeSet<>(want.subnets());
    overlays.values().forEach(overlay -> subnets.add(overlay.subnet()));
    Set<String> dead = new LinkedHashSet<>();
    have.vips().values().forEach(slots -> dead.addAll(slots.backends()));
    dead.addAll(have.dead());
    dead.removeAll(want.endpoints());
    Remotes remotes = want.remotes();
    NetworkHave then =
        new NetworkHave(
            true,
            ordered(overlays),
            ordered(overlays),
            ordered(vips),
            subnets,
            new TreeSet<>(dead),
            want.dnsPort(),
            remotes.members(),
            remotes.port(),
            remotes.reach(overlays.values(), ownership));
    return new NetworkPlan(steps(have, then, ownership), problems, then);
  }

  /** The order of steps follows from that of the maps: Map.copyOf has another one in every process. */
  private static <V> Map<String, V> ordered(Map<String, V> map) {
    return Collections.unmodifiableMap(new TreeMap<>(map));
  }

  /** An overlay over a network that the host itself needs would take the host off it. */
  private static String overlap(Overlay overlay, Remotes remotes, NetworkHave have, Collection<String> hostRoutes, String hostname) {
    if (overlay.equals(have.overlays().get(overlay.id()))) {
      return "";
    }
    Subnet subnet = Subnet.parse(overlay.subnet());
    for (String route : hostRoutes) {
      if (Subnet.parse(route).overlaps(subnet)) {
        return "subnet " + overlay.subnet() + " overlaps the route " + route + " of node " + hostname;
      }
    }
    // A default route may lead to these: no route of its own tells that they must not be taken.
    for (String node : remotes.nodes()) {
      if (subnet.contains(Subnet.addressOf(node))) {
        return "subnet " + overlay.subnet() + " holds " + node + ", the address of a node of this cluster";
      }
    }
    return "";
  }

  private static Map<String, Slots> slots(NetworkWant want, Map<String, Overlay> overlays, NetworkHave have, int rotation) {
    Map<String, Slots> slots = new TreeMap<>();
    for (Vip vip : want.vips().values()) {
      Overlay overlay = overlays.get(vip.networkId());
      if (overlay != null) {
        Slots before = have.vips().get(vip.address());
        List<String> backends = arrange(before == null ? List.of() : before.backends(), vip.backends(), rotation);
        slots.put(vip.address(), new Slots(overlay.bridge(), backends));
      }
    }
    return slots;
  }

  /** Keeps every backend in its slot while their number stays the same; otherwise starts at a random place. */
  static List<String> arrange(List<String> before, List<String> wanted, int rotation) {
    if (before.size() != wanted.size()) {
      List<String> turned = new ArrayList<>(wanted);
      Collections.rotate(turned, rotation);
      return List.copyOf(turned);
    }
    List<String> fresh = new ArrayList<>(wanted);
    fresh.removeAll(before);
    Set<String> stay = new HashSet<>(wanted);
    List<String> after = new ArrayList<>();
    for (String backend : before) {
      after.add(stay.contains(backend) ? backend : fresh.removeFirst());
    }
    return List.copyOf(after);
  }

  private static List<NetworkStep> steps(NetworkHave have, NetworkHave then, Ownership ownership) {
    List<NetworkStep> steps = new ArrayList<>();
    List<Overlay> fresh = missing(then.overlays(), have.overlays());
    List<Overlay> stale = missing(have.overlays(), then.overlays());
    List<String> rules = rules(have, then, new RuleText(ownership.table(), then.port()));
    if (!rules.isEmpty()) {
      steps.add(new NetworkStep.Rules(String.join("\n", rules) + "\n"));
    }
    TunnelPlan tunnels = tunnels(have, then, fresh);
    tunnels.drop().forEach(device -> steps.add(new NetworkStep.RemoveTunnel(device)));
    stale.forEach(overlay -> steps.add(new NetworkStep.RemoveNetwork(overlay)));
    for (Overlay overlay : fresh) {
      steps.add(new NetworkStep.CreateNetwork(overlay));
    }
    for (Overlay overlay : have.loaded() ? fresh : List.copyOf(then.overlays().values())) {
      steps.add(new NetworkStep.BridgeAddress(overlay.bridge(), MacAddress.of(overlay.gateway())));
      steps.add(new NetworkStep.Sysctl("net.ipv4.conf." + overlay.bridge() + ".send_redirects", "0"));
      steps.add(new NetworkStep.Sysctl("net.ipv6.conf." + overlay.bridge() + ".disable_ipv6", "1"));
    }
    tunnels.make().forEach(tunnel -> steps.add(new NetworkStep.CreateTunnel(tunnel)));
    // Other nodes' endpoints can be reached before a virtual address leads to them.
    List<String> links = new ArrayList<>(tunnels.links());
    if (!tunnels.forwarding().isEmpty()) {
      if (!links.isEmpty()) {
        steps.add(new NetworkStep.Ip(List.copyOf(links)));
        links.clear();
      }
      steps.add(new NetworkStep.Bridge(tunnels.forwarding()));
    }
    links.addAll(routes(have, then, fresh));
    if (!links.isEmpty()) {
      steps.add(new NetworkStep.Ip(List.copyOf(links)));
    }
    withdrawn(have, then).forEach(backend -> steps.add(new NetworkStep.ForgetUdp(backend)));
    return List.copyOf(steps);
  }

  private static TunnelPlan tunnels(NetworkHave have, NetworkHave then, List<Overlay> fresh) {
    Set<String> made = new HashSet<>();
    fresh.forEach(overlay -> made.add(overlay.bridge()));
    Set<String> standing = new TreeSet<>();
    then.overlays().values().forEach(overlay -> standing.add(overlay.bridge()));
    return TunnelPlan.diff(have.reach(), then.reach(), made, standing);
  }

  private static List<Overlay> missing(Map<String, Overlay> from, Map<String, Overlay> in) {
    return from.values().stream().filter(overlay -> !overlay.equals(in.get(overlay.id()))).toList();
  }

  private static List<String> rules(NetworkHave have, NetworkHave then, RuleText text) {
    if (!have.loaded() || have.port() != then.port()) {
      return List.of(text.load(then));
    }
    List<String> rules = new ArrayList<>();
    rules.addAll(text.elements("delete", "members", without(have.members(), then.members())));
    rules.addAll(text.elements("add", "members", without(then.members(), have.members())));
    if (have.members().isEmpty() != then.members().isEmpty()) {
      rules.addAll(text.tunnels(!then.members().isEmpty()));
    }
    rules.addAll(text.elements("delete", "ovnet", without(have.subnets(), then.subnets())));
    rules.addAll(text.elements("add", "ovnet", without(then.subnets(), have.subnets())));
    missing(have.ruled(), then.ruled()).forEach(overlay -> rules.addAll(text.removeOverlay(overlay)));
    missing(then.ruled(), have.ruled()).forEach(overlay -> rules.addAll(text.addOverlay(overlay)));
    if (have.dnsPort() != then.dnsPort() || !have.ruled().equals(then.ruled())) {
      rules.addAll(text.gateway(then.ruled().values(), then.dnsPort()));
    }
    have.vips().keySet().stream().filter(vip -> !then.vips().containsKey(vip)).sorted().forEach(vip -> rules.addAll(text.removeVip(vip)));
    new TreeMap<>(then.vips()).forEach((vip, slots) -> rules.addAll(vipChange(text, vip, have.vips().get(vip), slots)));
    rules.addAll(text.revive(without(have.dead(), then.dead())));
    rules.addAll(text.bury(without(then.dead(), have.dead())));
    return rules;
  }

  private static List<String> vipChange(RuleText text, String vip, Slots before, Slots after) {
    if (before == null) {
      return text.addVip(vip, after.backends());
    }
    if (before.backends().equals(after.backends())) {
      return List.of();
    }
    return before.backends().size() == after.backends().size()
        ? text.replace(vip, before.backends(), after.backends())
        : text.refill(vip, after.backends());
  }

  private static List<String> routes(NetworkHave have, NetworkHave then, List<Overlay> fresh) {
    Set<String> made = new HashSet<>();
    fresh.forEach(overlay -> made.add(overlay.bridge()));
    Set<String> standing = new HashSet<>();
    then.overlays().values().forEach(overlay -> standing.add(overlay.bridge()));
    List<String> lines = new ArrayList<>();
    new TreeMap<>(have.vips())
        .forEach(
            (vip, slots) -> {
              if (!then.vips().containsKey(vip) && standing.contains(slots.bridge())) {
                lines.add("route del local " + vip + "/32 dev " + slots.bridge());
              }
            });
    new TreeMap<>(then.vips())
        .forEach(
            (vip, slots) -> {
              Slots before = have.vips().get(vip);
              if (!have.loaded() || before == null || !before.bridge().equals(slots.bridge()) || made.contains(slots.bridge())) {
                lines.add("route replace local " + vip + "/32 dev " + slots.bridge());
              }
            });
    return lines;
  }

  private static Set<String> withdrawn(NetworkHave have, NetworkHave then) {
    Set<String> gone = new TreeSet<>();
    have.vips()
        .forEach(
            (vip, slots) -> {
              Slots after = then.vips().get(vip);
              gone.addAll(slots.backends());
              if (after != null) {
                after.backends().forEach(gone::remove);
              }
            });
    return gone;
  }

  private static List<String> without(Collection<String> all, Collection<String> minus) {
    return all.stream().filter(element -> !minus.contains(element)).sorted().toList();
  }
}
