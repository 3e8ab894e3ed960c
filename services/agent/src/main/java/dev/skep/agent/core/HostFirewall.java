package dev.skep.agent.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;

/**
 * A host firewall that drops input by default would also drop the containers' look-ups and their connections to
 * published ports of this node. One chain of ours, jumped to from INPUT, lets those in: from our bridges, to those ports,
 * nothing else.
 */
public final class HostFirewall {
  /** The engine's own bridge: tasks without a network are on it. */
  private static final String ENGINE_BRIDGE = "docker0";

  private HostFirewall() {}

  /** For {@code iptables-restore --noflush}: makes the chain anew in one transaction. */
  public static String chain(Ownership ownership, Collection<String> bridges, int dnsPort, SortedSet<String> published) {
    List<String> text = new ArrayList<>();
    text.add("*filter");
    text.add(":" + ownership.inputChain() + " - [0:0]");
    for (String bridge : bridges.stream().sorted().toList()) {
      if (dnsPort != 0) {
        text.add(accept(ownership, bridge, "udp", dnsPort));
        text.add(accept(ownership, bridge, "tcp", dnsPort));
      }
      published.forEach(port -> text.add(published(ownership, bridge, port)));
    }
    published.forEach(port -> text.add(published(ownership, ENGINE_BRIDGE, port)));
    text.add("COMMIT");
    return String.join("\n", text) + "\n";
  }

  private static String published(Ownership ownership, String bridge, String port) {
    int slash = port.indexOf('/');
    return accept(ownership, bridge, port.substring(0, slash), Integer.parseInt(port.substring(slash + 1)));
  }

  private static String accept(Ownership ownership, String bridge, String protocol, int port) {
    return "-A " + ownership.inputChain() + " -i " + bridge + " -p " + protocol + " -m " + protocol + " --dport " + port + " -j ACCEPT";
  }

  /** One rule for the head of a base chain that somebody loaded through nft itself. */
  public static String nativeRule(Ownership ownership, Collection<String> bridges, int dnsPort, SortedSet<String> published) {
    List<String> ports = new ArrayList<>();
    if (dnsPort != 0) {
      ports.add("udp . " + dnsPort);
      ports.add("tcp . " + dnsPort);
    }
    published.forEach(port -> ports.add(port.replace("/", " . ")));
    List<String> names = bridges.stream().sorted().map(bridge -> "\"" + bridge + "\"").toList();
    if (ports.isEmpty() || names.isEmpty()) {
      return "";
    }
    return "iifname { " + String.join(", ", names) + " } meta l4proto . th dport { " + String.join(", ", ports) + " } accept comment \""
        + ownership.inputChain() + "\"";
  }
}
