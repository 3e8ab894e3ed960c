package dev.skep.agent.core;

import dev.skep.agent.core.NetworkWant.Overlay;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * How the kernel and the engine differ from what our last plan made: what others took away, what an earlier life left.
 *
 * @param networks overlays whose network the engine has no longer
 * @param bridges overlays whose bridge is gone or shut, while the engine believes in it
 * @param rules chains of our rule table that are gone or were emptied
 * @param vips addresses that are no longer routed to this node
 * @param tunnels VXLAN devices, and bridges, whose ways to other nodes are not what they were
 * @param strays addresses that this node holds on its bridges though no service has them (any more): "10.0.1.2 skb4097"
 */
public record Drift(
    List<Overlay> networks, List<Overlay> bridges, List<String> rules, List<String> vips, List<String> tunnels, List<String> strays, Reach reach) {
  public static final Drift NONE = new Drift(List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), Reach.NONE);

  /**
   * What stands.
   *
   * @param networks ids of the overlays that the engine has a network for
   * @param chains of our rule table
   * @param filled those of them that hold a rule
   * @param local addresses that are this node's own, by device: "10.0.1.2 skb4097"
   * @param linked networks on devices that are up: "10.0.1.0/24 skb4097"
   * @param reach what the kernel knows of other nodes
   */
  public record Seen(Set<String> networks, Set<String> chains, Set<String> filled, Set<String> local, Set<String> linked, Reach reach) {}

  public static Drift of(NetworkHave have, Seen seen) {
    List<Overlay> networks = new ArrayList<>();
    List<Overlay> bridges = new ArrayList<>();
    Set<String> rules = new TreeSet<>();
    new TreeMap<>(have.overlays()).forEach((id, overlay) -> {
      if (!seen.networks().contains(id)) {
        networks.add(overlay);
      } else if (!seen.linked().contains(overlay.subnet() + " " + overlay.bridge())) {
        bridges.add(overlay);
      }
    });
    RuleText.chains(have.ruled().values(), have.vips().keySet()).stream().filter(chain -> !seen.chains().contains(chain)).forEach(rules::add);
    RuleText.filled(have).stream().filter(chain -> !seen.filled().contains(chain)).forEach(rules::add);
    List<String> vips = new ArrayList<>();
    Set<String> strays = new TreeSet<>();
    have.overlays().values().forEach(overlay -> seen.local().stream().filter(route -> route.endsWith(" " + overlay.bridge())).forEach(strays::add));
    have.overlays().values().forEach(overlay -> strays.remove(overlay.gateway() + " " + overlay.bridge()));
    new TreeMap<>(have.vips()).forEach((vip, slots) -> {
      strays.remove(vip + " " + slots.bridge());
      if (!seen.local().contains(vip + " " + slots.bridge())) {
        vips.add(vip);
      }
    });
    return new Drift(
        List.copyOf(networks),
        List.copyOf(bridges),
        List.copyOf(rules),
        List.copyOf(vips),
        tunnels(have.reach(), seen.reach()),
        List.copyOf(strays),
        seen.reach());
  }

  private static List<String> tunnels(Reach have, Reach seen) {
    Set<String> changed = new TreeSet<>();
    changed.addAll(different(have.tunnels(), seen.tunnels()));
    changed.addAll(different(have.neighbours(), seen.neighbours()));
    return List.copyOf(changed);
  }

  private static <V> Set<String> different(Map<String, V> have, Map<String, V> seen) {
    Set<String> names = new TreeSet<>(have.keySet());
    names.addAll(seen.keySet());
    names.removeIf(name -> Objects.equals(have.get(name), seen.get(name)));
    return names;
  }

  /** Something that should stand does not. */
  public boolean lost() {
    return !networks.isEmpty() || !bridges.isEmpty() || !rules.isEmpty() || !vips.isEmpty() || !tunnels.isEmpty();
  }

  /** The state from which the next plan makes good what is missing; bridges must have been made again before. */
  public NetworkHave from(NetworkHave have) {
    if (!lost()) {
      return have;
    }
    Map<String, Overlay> overlays = new TreeMap<>(have.overlays());
    networks.forEach(lost -> overlays.remove(lost.id()));
    boolean onlyTunnels = networks.isEmpty() && bridges.isEmpty() && rules.isEmpty() && vips.isEmpty();
    return have.withReach(reach).with(have.loaded() && onlyTunnels, Map.copyOf(overlays));
  }

  @Override
  public String toString() {
    List<String> parts = new ArrayList<>();
    networks.forEach(overlay -> parts.add("the engine's network of " + overlay.id()));
    bridges.forEach(overlay -> parts.add("bridge " + overlay.bridge()));
    if (!rules.isEmpty()) {
      parts.add(rules.size() + " chains of our rules");
    }
    if (!vips.isEmpty()) {
      parts.add("routes of " + vips.size() + " virtual addresses");
    }
    if (!tunnels.isEmpty()) {
      parts.add("ways to other nodes (" + String.join(", ", tunnels) + ")");
    }
    return String.join(", ", parts);
  }
}
