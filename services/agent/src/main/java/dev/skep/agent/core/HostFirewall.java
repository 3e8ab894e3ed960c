package dev.skep.agent.core;

import java.util.ArrayList;
import java.util.Collections;
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

  /**
   * What has to come in.
   *
   * @param bridges of overlays
   * @param dnsPort where the resolver listens, 0 while nobody knows
   * @param published ports that the ingress holds, as "tcp/80"
   * @param members other nodes' data path addresses
   * @param port UDP port of the cluster's overlays
   */
  public record Need(SortedSet<String> bridges, int dnsPort, SortedSet<String> published, SortedSet<String> members, int port) {
    public static final Need NOTHING = new Need(none(), 0, none(), none(), Remotes.DEFAULT_PORT);

    private static SortedSet<String> none() {
      return Collections.emptySortedSet();
    }
  }

  /** For {@code iptables-restore --noflush}: makes the chain anew in one transaction. */
  public static String chain(Ownership ownership, Need need) {
    List<String> text = new ArrayList<>();
    text.add("*filter");
    text.add(":" + ownership.inputChain() + " - [0:0]");
    for (String member : need.members()) {
      text.add("-A " + ownership.inputChain() + " -s " + member + "/32 -p udp -m udp --dport " + need.port() + " -j ACCEPT");
    }
    for (String bridge : need.bridges()) {
      if (need.dnsPort() != 0) {
        text.add(accept(ownership, bridge, "udp", need.dnsPort()));
        text.add(accept(ownership, bridge, "tcp", need.dnsPort()));
      }
      need.published().forEach(port -> text.add(published(ownership, bridge, port)));
    }
    need.published().forEach(port -> text.add(published(ownership, ENGINE_BRIDGE, port)));
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

  /** Rules for the head of a base chain that somebody loaded through nft itself. */
  public static List<String> nativeRules(Ownership ownership, Need need) {
    String comment = " accept comment \"" + ownership.inputChain() + "\"";
    List<String> rules = new ArrayList<>();
    List<String> ports = new ArrayList<>();
    if (need.dnsPort() != 0) {
      ports.add("udp . " + need.dnsPort());
      ports.add("tcp . " + need.dnsPort());
    }
    need.published().forEach(port -> ports.add(port.replace("/", " . ")));
    if (!ports.isEmpty() && !need.bridges().isEmpty()) {
      List<String> names = need.bridges().stream().map(bridge -> "\"" + bridge + "\"").toList();
      rules.add("iifname { " + String.join(", ", names) + " } meta l4proto . th dport { " + String.join(", ", ports) + " }" + comment);
    }
    if (!need.members().isEmpty()) {
      rules.add("udp dport " + need.port() + " ip saddr { " + String.join(", ", need.members()) + " }" + comment);
    }
    return List.copyOf(rules);
  }
}
