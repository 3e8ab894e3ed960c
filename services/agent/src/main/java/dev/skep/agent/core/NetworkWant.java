package dev.skep.agent.core;

import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.state.Subnet;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;

/**
 * What the networks of this node should look like.
 *
 * @param overlays by network id; only those that a task of this node uses
 * @param vips by address, on those overlays
 * @param subnets of all overlays of the cluster
 * @param endpoints addresses that still belong to a task; a withdrawn one outside is dead
 * @param dnsPort where the resolver listens, 0 while nobody knows
 * @param published ports that the ingress holds, as "tcp/80"
 * @param remotes what of these overlays is on other nodes
 */
public record NetworkWant(
    Map<String, Overlay> overlays,
    Map<String, Vip> vips,
    SortedSet<String> subnets,
    Set<String> endpoints,
    int dnsPort,
    SortedSet<String> published,
    Remotes remotes) {

  /** One overlay as it stands on this node: an engine bridge network with this node's own gateway address. */
  public record Overlay(String id, String bridge, int vni, String subnet, String gateway, int mtu, boolean internal) {
    public static Overlay of(NetworkAssignment network, Ownership ownership, int defaultMtu) {
      String subnet = Subnet.parse(network.getSubnet()).toString();
      String gateway = network.getGateway();
      int slash = gateway.indexOf('/');
      return new Overlay(
          network.getId(),
          ownership.bridge(network.getVni()),
          network.getVni(),
          subnet,
          slash < 0 ? gateway : gateway.substring(0, slash),
          network.getMtu() == 0 ? defaultMtu : network.getMtu(),
          network.getInternal());
    }
  }
}
