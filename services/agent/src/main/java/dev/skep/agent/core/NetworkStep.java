package dev.skep.agent.core;

import dev.skep.agent.core.NetworkWant.Overlay;
import java.util.List;

/** One change to the node's networks, carried out in the order of the plan. */
public sealed interface NetworkStep {
  /** A script that nft applies as one transaction. */
  record Rules(String script) implements NetworkStep {}

  record CreateNetwork(Overlay overlay) implements NetworkStep {}

  /** Fails while containers are on it; then it is tried again after the next change. */
  record RemoveNetwork(Overlay overlay) implements NetworkStep {}

  /** A VXLAN device of ours; gone already is as good. */
  record RemoveTunnel(String device) implements NetworkStep {}

  record CreateTunnel(Tunnel tunnel) implements NetworkStep {}

  /** Only where the bridge has another one: setting any makes the kernel forget the bridge's neighbours, static ones too. */
  record BridgeAddress(String bridge, String mac) implements NetworkStep {}

  /** Lines for {@code ip -batch}. */
  record Ip(List<String> lines) implements NetworkStep {}

  /** Lines for {@code bridge -batch}. */
  record Bridge(List<String> lines) implements NetworkStep {}

  record Sysctl(String key, String value) implements NetworkStep {}

  /** Forgets the UDP flows to an endpoint that left its VIPs, so that their next packets find another. */
  record ForgetUdp(String backend) implements NetworkStep {}
}
