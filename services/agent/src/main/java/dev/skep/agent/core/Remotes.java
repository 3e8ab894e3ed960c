package dev.skep.agent.core;

import dev.skep.agent.core.NetworkWant.Overlay;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.PeerEntry;
import dev.skep.state.FeedState;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What of this node's overlays is on other nodes, as the endpoint feed tells.
 *
 * @param local this node's data path address
 * @param port UDP port of the cluster's overlays
 * @param members data path addresses of the other nodes
 * @param byNetwork network id to what is remote in it, by address: endpoints, serving or not, and other nodes' gateways
 */
public record Remotes(String local, int port, SortedSet<String> members, Map<String, SortedMap<String, Remote>> byNetwork) {
  public static final int DEFAULT_PORT = 4789;
  public static final Remotes NONE = new Remotes("", DEFAULT_PORT, Collections.emptySortedSet(), Map.of());

  /**
   * @param mac of the endpoint, known before it exists
   * @param node data path address of its node
   */
  public record Remote(String mac, String node) {}

  /** Where an address is, as far as is known until now. */
  private record Claim(boolean serving, boolean here, Remote remote) {
    /** Two tasks have an address only while news of one of them is late: traffic goes to the one that takes it. */
    boolean before(Claim other) {
      return serving == other.serving ? here && !other.here : serving;
    }
  }

  /** Encrypted networks have no tunnel: nothing goes out in clear that was asked to be encrypted. */
  public static Remotes of(FeedState feed, Collection<NetworkAssignment> assigned, String nodeId, String local) {
    Set<String> networks = new HashSet<>();
    int port = DEFAULT_PORT;
    for (NetworkAssignment network : assigned) {
      if (!network.getEncrypted()) {
        networks.add(network.getId());
      }
      port = network.getDataPathPort() == 0 ? port : network.getDataPathPort();
    }
    Map<String, String> nodes = nodes(feed, nodeId, local);
    if (nodes.isEmpty()) {
      return new Remotes(local, port, Collections.emptySortedSet(), Map.of());
    }
    Map<String, SortedMap<String, Claim>> claims = new HashMap<>();
    for (EndpointEntry endpoint : feed.endpoints()) {
      boolean here = endpoint.getNodeId().equals(nodeId);
      String node = nodes.get(endpoint.getNodeId());
      for (EndpointAddress address : endpoint.getAddressesList()) {
        if (networks.contains(address.getNetworkId()) && (here || node != null) && isAddress(address.getAddress())) {
          String mac = address.getMac().isEmpty() ? MacAddress.of(address.getAddress()) : address.getMac();
          claim(claims, address.getNetworkId(), address.getAddress(), new Claim(endpoint.getServing(), here, new Remote(mac, node)));
        }
      }
    }
    for (PeerEntry peer : feed.peers()) {
      String node = nodes.get(peer.getNodeId());
      if (node != null) {
        peer.getGatewaysMap().forEach((network, gateway) -> {
          if (networks.contains(network) && isAddress(gateway)) {
            claim(claims, network, gateway, new Claim(true, false, new Remote(MacAddress.of(gateway), node)));
          }
        });
      }
    }
    return new Remotes(local, port, new TreeSet<>(nodes.values()), remote(claims));
  }

  /** Other nodes that can be reached, to their data path address. One that shares ours is on this very host. */
  private static Map<String, String> nodes(FeedState feed, String nodeId, String local) {
    Map<String, String> nodes = new HashMap<>();
    if (isAddress(local)) {
      for (PeerEntry peer : feed.peers()) {
        String address = peer.getDataPathAddr();
        if (!peer.getNodeId().equals(nodeId) && isAddress(address) && !address.equals(local)) {
          nodes.put(peer.getNodeId(), address);
        }
      }
    }
    return nodes;
  }

  private static void claim(Map<String, SortedMap<String, Claim>> claims, String network, String address, Claim claim) {
    claims.computeIfAbsent(network, id -> new TreeMap<>()).merge(address, claim, (old, late) -> late.before(old) ? late : old);
  }

  private static Map<String, SortedMap<String, Remote>> remote(Map<String, SortedMap<String, Claim>> claims) {
    Map<String, SortedMap<String, Remote>> remote = new TreeMap<>();
    claims.forEach((network, addresses) -> {
      SortedMap<String, Remote> elsewhere = new TreeMap<>();
      addresses.forEach((address, claim) -> {
        if (!claim.here()) {
          elsewhere.put(address, claim.remote());
        }
      });
      if (!elsewhere.isEmpty()) {
        remote.put(network, Collections.unmodifiableSortedMap(elsewhere));
      }
    });
    return remote;
  }

  private static boolean isAddress(String text) {
    return text.matches("\\d{1,3}(\\.\\d{1,3}){3}");
  }

  /** Data path addresses of all nodes that are known here, this one's included. */
  SortedSet<String> nodes() {
    SortedSet<String> nodes = new TreeSet<>(members);
    if (isAddress(local)) {
      nodes.add(local);
    }
    return nodes;
  }

  /** What the kernel has to know, for the overlays that stand on this node. */
  Reach reach(Collection<Overlay> overlays, Ownership ownership) {
    SortedMap<String, Tunnel> tunnels = new TreeMap<>();
    SortedMap<String, SortedMap<String, String>> neighbours = new TreeMap<>();
    for (Overlay overlay : overlays) {
      SortedMap<String, Remote> remote = byNetwork.get(overlay.id());
      if (remote != null) {
        SortedMap<String, String> forwarding = new TreeMap<>();
        SortedMap<String, String> macs = new TreeMap<>();
        remote.forEach((address, where) -> {
          forwarding.put(where.mac(), where.node());
          macs.put(address, where.mac());
        });
        String device = ownership.tunnel(overlay.vni());
        tunnels.put(device, new Tunnel(device, overlay.bridge(), overlay.vni(), local, port, overlay.mtu(), forwarding));
        neighbours.put(overlay.bridge(), macs);
      }
    }
    return new Reach(tunnels, neighbours);
  }
}
