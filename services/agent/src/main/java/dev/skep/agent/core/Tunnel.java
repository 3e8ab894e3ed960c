package dev.skep.agent.core;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The VXLAN device that leads from an overlay's bridge to other nodes.
 *
 * @param bridge that it is a port of; empty when it is none, or not as a port of ours has to be
 * @param local this node's data path address
 * @param port UDP port of the cluster's overlays
 * @param forwarding MAC of an endpoint to the data path address of its node; empty while an entry is not as it has to be
 */
public record Tunnel(String device, String bridge, int vni, String local, int port, int mtu, SortedMap<String, String> forwarding) {
  public Tunnel {
    forwarding = Collections.unmodifiableSortedMap(new TreeMap<>(forwarding));
  }

  /** What cannot be changed on a device that stands. */
  boolean sameDevice(Tunnel other) {
    return vni == other.vni && port == other.port && local.equals(other.local);
  }
}
