package dev.skep.agent.core;

import dev.skep.agent.core.NetworkWant.Overlay;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What this node's kernel and engine hold after the last plan that was carried out.
 *
 * @param loaded the rule table stands as described; false after a start or a failed batch, when it is loaded anew
 * @param overlays networks whose engine network and bridge stand, as they were made
 * @param ruled overlays that the rules know
 * @param vips address to what its rule does
 * @param members data path addresses that VXLAN packets may come from
 * @param port UDP port of the cluster's overlays
 * @param reach what the kernel knows of other nodes
 */
public record NetworkHave(
    boolean loaded,
    Map<String, Overlay> overlays,
    Map<String, Overlay> ruled,
    Map<String, Slots> vips,
    SortedSet<String> subnets,
    Set<String> dead,
    int dnsPort,
    SortedSet<String> members,
    int port,
    Reach reach) {

  /** A VIP's backends by slot number; the kernel counts connections through the slots. */
  public record Slots(String bridge, List<String> backends) {}

  public static NetworkHave nothing(Map<String, Overlay> standing) {
    return new NetworkHave(false, standing, Map.of(), Map.of(), new TreeSet<>(), Set.of(), 0, new TreeSet<>(), Remotes.DEFAULT_PORT, Reach.NONE);
  }

  public NetworkHave withReach(Reach seen) {
    return new NetworkHave(loaded, overlays, ruled, vips, subnets, dead, dnsPort, members, port, seen);
  }

  /** After steps that may have failed or did not do all. */
  public NetworkHave with(boolean stillLoaded, Map<String, Overlay> standing) {
    return new NetworkHave(stillLoaded, standing, ruled, vips, subnets, dead, dnsPort, members, port, reach);
  }
}
