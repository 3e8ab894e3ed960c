package dev.skep.agent.core;

import dev.skep.agent.core.NetworkWant.Overlay;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * The words of the rule table. A VIP is a chain that sends connections through a named map of slots, counted by the
 * kernel; an overlay is a chain that its bridge's packets pass first; the rest is the same on every node.
 */
final class RuleText {
  private final String table;
  private final int port;

  RuleText(String table, int port) {
    this.table = table;
    this.port = port;
  }

  /** The whole table, replacing what was there in one transaction. */
  String load(NetworkHave then) {
    List<String> text = new ArrayList<>();
    text.add("table ip " + table);
    text.add("delete table ip " + table);
    text.add(FRAME.replace("TABLE", table));
    text.addAll(elements("add", "ovnet", then.subnets()));
    text.addAll(elements("add", "members", then.members()));
    text.addAll(tunnels(!then.members().isEmpty()));
    then.ruled().values().forEach(overlay -> text.addAll(addOverlay(overlay)));
    text.addAll(gateway(then.ruled().values(), then.dnsPort()));
    then.vips().forEach((vip, slots) -> text.addAll(addVip(vip, slots.backends())));
    return String.join("\n", text) + "\n";
  }

  private static final String FRAME =
      """
      table ip TABLE {
       set ovnet { type ipv4_addr; flags interval; }
       set bridges { type ifname; }
       set members { type ipv4_addr; }
       set dead { type ipv4_addr; flags timeout; }
       map inport { type ifname : verdict; }
       map vips { type ipv4_addr : verdict; }
       chain tunnel_in { }
       chain tunnel_out { type filter hook output priority raw; policy accept;
       }
       chain raw { type filter hook prerouting priority raw; policy accept;
        iifname vmap @inport
        jump tunnel_in
        iifname != "lo" ip daddr @ovnet counter drop comment "overlay address by routing"
        iifname != "lo" ip saddr @ovnet counter drop comment "overlay source from outside"
       }
       chain resolver { }
       chain pre { type nat hook prerouting priority -110; policy accept;
        iifname @bridges jump resolver
        meta l4proto { tcp, udp } ip daddr vmap @vips
       }
       chain out { type nat hook output priority -110; policy accept;
        meta l4proto { tcp, udp } ip daddr vmap @vips
       }
       chain post { type nat hook postrouting priority 90; policy accept;
        ct status dnat ct original ip daddr @ovnet ip daddr @ovnet masquerade
       }
       chain kill {
        meta l4proto tcp reject with tcp reset
        reject with icmp type port-unreachable
       }
       chain forw { type filter hook forward priority -5; policy accept;
        ct status dnat ip daddr @dead jump kill
       }
       chain names { }
       chain host {
        ct state established,related accept
        jump names
        icmp type echo-request accept
        goto kill
       }
       chain inp { type filter hook input priority -5; policy accept;
        iifname @bridges ip daddr @ovnet jump host
       }
      }""";

  List<String> elements(String verb, String set, Collection<String> elements) {
    return elements.isEmpty() ? List.of() : List.of(verb + " element ip " + table + " " + set + " { " + String.join(", ", elements) + " }");
  }

  /** Those of the {@link #chains} that hold rules, so that an empty one has been emptied by somebody. */
  static List<String> filled(NetworkHave then) {
    List<String> filled = new ArrayList<>(chains(then.ruled().values(), then.vips().keySet()));
    then.vips().entrySet().stream().filter(vip -> vip.getValue().backends().isEmpty()).forEach(idle -> filled.remove(chain(idle.getKey())));
    if (then.members().isEmpty()) {
      filled.removeAll(List.of("tunnel_in", "tunnel_out"));
    }
    if (then.dnsPort() == 0) {
      filled.remove("names");
    }
    if (then.dnsPort() == 0 || then.ruled().isEmpty()) {
      filled.remove("resolver");
    }
    return filled;
  }

  /** Every chain that a table with these overlays and VIPs has. */
  static List<String> chains(Collection<Overlay> overlays, Collection<String> vips) {
    List<String> chains = new ArrayList<>(FRAME.lines().map(String::strip).filter(line -> line.startsWith("chain ")).map(line -> line.split(" ")[1]).toList());
    overlays.forEach(overlay -> chains.add("in_" + overlay.bridge()));
    vips.forEach(vip -> chains.add(chain(vip)));
    return chains;
  }

  List<String> addOverlay(Overlay overlay) {
    String chain = "in_" + overlay.bridge();
    String rule = "add rule ip " + table + " " + chain + " ";
    List<String> text = new ArrayList<>();
    text.add("add chain ip " + table + " " + chain);
    text.add(rule + "ip saddr != " + overlay.subnet() + " counter drop comment \"spoofed source\"");
    text.add(rule + "ip daddr " + overlay.subnet() + " accept");
    text.add(rule + "ip daddr @ovnet counter drop comment \"other overlay\"");
    text.add(rule + "udp dport " + port + " counter drop comment \"container speaking VXLAN\"");
    if (overlay.internal()) {
      text.add(rule + "counter drop comment \"internal overlay\"");
    }
    text.add("add element ip " + table + " inport { \"" + overlay.bridge() + "\" : goto " + chain + " }");
    text.add("add element ip " + table + " bridges { \"" + overlay.bridge() + "\" }");
    return text;
  }

  List<String> removeOverlay(Overlay overlay) {
    String chain = "in_" + overlay.bridge();
    return List.of(
        "delete element ip " + table + " inport { \"" + overlay.bridge() + "\" }",
        "delete element ip " + table + " bridges { \"" + overlay.bridge() + "\" }",
        "flush chain ip " + table + " " + chain,
        "delete chain ip " + table + " " + chain);
  }

  /**
   * VXLAN only from members, by the way that leads to them: a container of this host that claims a member's address comes
   * by another. What a container without an overlay sends to a member would arrive there as ours. Connection tracking
   * would hold one flow per flow inside the tunnels.
   */
  List<String> tunnels(boolean any) {
    List<String> text = new ArrayList<>();
    text.add("flush chain ip " + table + " tunnel_in");
    text.add("flush chain ip " + table + " tunnel_out");
    if (any) {
      String in = "add rule ip " + table + " tunnel_in udp dport " + port + " ";
      text.add(in + "fib daddr type local ip saddr @members fib saddr . iif oif exists notrack accept");
      text.add(in + "fib daddr type { local, broadcast, multicast } counter drop comment \"VXLAN from no member\"");
      text.add(in + "ip daddr @members ip saddr != @members counter drop comment \"forged VXLAN\"");
      text.add("add rule ip " + table + " tunnel_out udp dport " + port + " ip daddr @members notrack");
    }
    return text;
  }

  /** Port 53 of each overlay's gateway leads to the resolver, so that the host's own port 53 stays free. */
  List<String> gateway(Collection<Overlay> overlays, int dnsPort) {
    List<String> text = new ArrayList<>();
    text.add("flush chain ip " + table + " resolver");
    text.add("flush chain ip " + table + " names");
    if (dnsPort != 0) {
      for (Overlay overlay : overlays) {
        String match = "iifname \"" + overlay.bridge() + "\" ip daddr " + overlay.gateway();
        text.add("add rule ip " + table + " resolver " + match + " meta l4proto { tcp, udp } th dport 53 redirect to :" + dnsPort);
      }
      text.add("add rule ip " + table + " names ct status dnat meta l4proto { tcp, udp } th dport " + dnsPort + " accept");
    }
    return text;
  }

  List<String> addVip(String vip, List<String> backends) {
    List<String> text = new ArrayList<>();
    text.add("add map ip " + table + " " + map(vip) + " { typeof numgen inc mod 2 : ip daddr; }");
    text.add("add chain ip " + table + " " + chain(vip));
    text.addAll(fill(vip, backends));
    text.add("add element ip " + table + " vips { " + vip + " : goto " + chain(vip) + " }");
    return text;
  }

  List<String> removeVip(String vip) {
    return List.of(
        "delete element ip " + table + " vips { " + vip + " }",
        "flush chain ip " + table + " " + chain(vip),
        "delete chain ip " + table + " " + chain(vip),
        "flush map ip " + table + " " + map(vip),
        "delete map ip " + table + " " + map(vip));
  }

  /** Another number of slots: the rule is made anew, and its count with it. */
  List<String> refill(String vip, List<String> backends) {
    List<String> text = new ArrayList<>();
    text.add("flush chain ip " + table + " " + chain(vip));
    text.add("flush map ip " + table + " " + map(vip));
    text.addAll(fill(vip, backends));
    return text;
  }

  /** The same number of slots: only the changed ones are rewritten, and the count goes on. */
  List<String> replace(String vip, List<String> before, List<String> after) {
    List<String> gone = new ArrayList<>();
    List<String> come = new ArrayList<>();
    for (int slot = 0; slot < after.size(); slot++) {
      if (!before.get(slot).equals(after.get(slot))) {
        gone.add(Integer.toString(slot));
        come.add(slot + " : " + after.get(slot));
      }
    }
    List<String> text = new ArrayList<>(elements("delete", map(vip), gone));
    text.addAll(elements("add", map(vip), come));
    return text;
  }

  private List<String> fill(String vip, List<String> backends) {
    if (backends.isEmpty()) {
      return List.of();
    }
    List<String> slots = new ArrayList<>();
    for (int slot = 0; slot < backends.size(); slot++) {
      slots.add(slot + " : " + backends.get(slot));
    }
    List<String> text = new ArrayList<>();
    text.add("add rule ip " + table + " " + chain(vip) + " dnat to numgen inc mod " + backends.size() + " map @" + map(vip));
    text.addAll(elements("add", map(vip), slots));
    return text;
  }

  /** Adding first makes the deletion valid when the kernel's own time-out came before it. */
  List<String> revive(Collection<String> addresses) {
    List<String> text = new ArrayList<>(elements("add", "dead", addresses));
    text.addAll(elements("delete", "dead", addresses));
    return text;
  }

  List<String> bury(Collection<String> addresses) {
    return elements("add", "dead", addresses.stream().map(address -> address + " timeout 5m").toList());
  }

  private static String map(String vip) {
    return "b_" + vip.replace('.', '_');
  }

  private static String chain(String vip) {
    return "v_" + vip.replace('.', '_');
  }
}
