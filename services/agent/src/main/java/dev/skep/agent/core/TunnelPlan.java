package dev.skep.agent.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;

/**
 * From what the kernel knows of other nodes to what it should know. An entry is replaced before it is deleted: a deletion
 * of what somebody else deleted already would end the whole batch.
 *
 * @param drop devices to remove before the bridges are changed
 * @param make devices to make when the bridges stand
 * @param links lines for {@code ip -batch} that plug devices in and tell the host and, through it, containers the neighbours
 * @param forwarding lines for {@code bridge -batch}
 */
record TunnelPlan(List<String> drop, List<Tunnel> make, List<String> links, List<String> forwarding) {

  /**
   * @param made bridges that this plan makes anew: nothing is on them
   * @param standing bridges that stand afterwards
   */
  static TunnelPlan diff(Reach have, Reach want, Set<String> made, Collection<String> standing) {
    List<String> drop = new ArrayList<>();
    List<Tunnel> make = new ArrayList<>();
    List<String> links = new ArrayList<>();
    List<String> forwarding = new ArrayList<>();
    have.tunnels().forEach((device, tunnel) -> {
      Tunnel wanted = want.tunnels().get(device);
      if (wanted == null || !wanted.sameDevice(tunnel)) {
        drop.add(device);
      }
    });
    want.tunnels().forEach((device, tunnel) -> {
      Tunnel stands = drop.contains(device) ? null : have.tunnels().get(device);
      boolean plugged = stands != null && stands.bridge().equals(tunnel.bridge()) && !made.contains(tunnel.bridge());
      if (stands == null) {
        make.add(tunnel);
      }
      if (!plugged || stands.mtu() != tunnel.mtu()) {
        links.add("link set dev " + device + " mtu " + tunnel.mtu() + " addrgenmode none master " + tunnel.bridge() + " up");
      }
      if (!plugged) {
        forwarding.add("link set dev " + device + " neigh_suppress on learning off hairpin off");
      }
      forward(stands, tunnel, plugged, forwarding);
    });
    for (String bridge : standing) {
      SortedMap<String, String> before = made.contains(bridge) ? new java.util.TreeMap<>() : have.neighboursOn(bridge);
      neighbours(bridge, before, want.neighboursOn(bridge), links);
    }
    return new TunnelPlan(drop, make, links, forwarding);
  }

  /** A device that leaves its bridge loses the bridge's half of its entries. */
  private static void forward(Tunnel stands, Tunnel tunnel, boolean plugged, List<String> lines) {
    String device = tunnel.device();
    if (stands != null) {
      stands.forwarding().forEach((mac, node) -> {
        if (!tunnel.forwarding().containsKey(mac)) {
          lines.add(entry(mac, device, node.isEmpty() ? tunnel.local() : node));
          lines.add("fdb del " + mac + " dev " + device + " self master");
        }
      });
    }
    for (Map.Entry<String, String> entry : tunnel.forwarding().entrySet()) {
      if (!plugged || !entry.getValue().equals(stands.forwarding().get(entry.getKey()))) {
        lines.add(entry(entry.getKey(), device, entry.getValue()));
      }
    }
  }

  /** Without {@code sticky} an entry would follow a container that sends with its MAC. */
  private static String entry(String mac, String device, String node) {
    return "fdb replace " + mac + " dev " + device + " dst " + node + " self master static sticky";
  }

  private static void neighbours(String bridge, SortedMap<String, String> before, SortedMap<String, String> wanted, List<String> lines) {
    before.forEach((address, mac) -> {
      if (!wanted.containsKey(address)) {
        lines.add("neigh replace " + address + " lladdr " + mac + " dev " + bridge + " nud permanent");
        lines.add("neigh del " + address + " dev " + bridge);
      }
    });
    wanted.forEach((address, mac) -> {
      if (!mac.equals(before.get(address))) {
        lines.add("neigh replace " + address + " lladdr " + mac + " dev " + bridge + " nud permanent");
      }
    });
  }
}
