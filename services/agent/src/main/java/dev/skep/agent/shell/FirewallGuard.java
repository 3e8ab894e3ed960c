package dev.skep.agent.shell;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.skep.agent.core.HostFirewall;
import dev.skep.agent.core.Ownership;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Keeps the host's own firewall open for what containers need of this node, also after the firewall was loaded anew.
 * Blocking.
 */
final class FirewallGuard {
  private final Commands commands;
  private final Ownership ownership;

  FirewallGuard(Commands commands, Ownership ownership) {
    this.commands = commands;
    this.ownership = ownership;
  }

  void apply(HostFirewall.Need need, boolean changed) throws Commands.Failed {
    boolean jump = iptables("-C", "INPUT", "-j", ownership.inputChain());
    if (changed || !jump) {
      commands.feed(HostFirewall.chain(ownership, need), "iptables-restore", "-w", "--noflush");
    }
    if (!jump) {
      commands.run("iptables", "-w", "-I", "INPUT", "-j", ownership.inputChain());
    }
    nativeChains(HostFirewall.nativeRules(ownership, need));
  }

  private boolean iptables(String... arguments) throws Commands.Failed {
    List<String> line = new ArrayList<>(List.of("iptables", "-w"));
    line.addAll(List.of(arguments));
    try {
      commands.run(line.toArray(String[]::new));
      return true;
    } catch (Commands.Failed no) {
      return false;
    }
  }

  /** An accept elsewhere does not help against a chain that drops, so each of those gets rules of ours at its head. */
  private void nativeChains(List<String> rules) throws Commands.Failed {
    for (JsonNode entry : json(commands.run("nft", "-j", "list", "chains"))) {
      JsonNode chain = entry.path("chain");
      String table = chain.path("table").asText();
      if (chain.path("hook").asText().equals("input") && chain.path("type").asText().equals("filter") && foreign(chain)) {
        String name = chain.path("family").asText() + " " + table + " " + chain.path("name").asText();
        mend(name, chain.path("policy").asText().equals("drop"), rules);
      }
    }
  }

  private static boolean foreign(JsonNode chain) {
    String family = chain.path("family").asText();
    String table = chain.path("table").asText();
    boolean iptables = table.equals("filter") && chain.path("name").asText().equals("INPUT");
    return (family.equals("ip") || family.equals("inet")) && !iptables && !table.equals("skep") && !table.startsWith("skep_");
  }

  private void mend(String chain, boolean drops, List<String> rules) throws Commands.Failed {
    List<String> lines = commands.run(words("nft -a list chain " + chain)).lines().map(String::strip).toList();
    Set<String> missing = new LinkedHashSet<>(rules);
    StringBuilder script = new StringBuilder();
    boolean closed = drops;
    for (String line : lines) {
      if (line.contains("comment \"" + ownership.inputChain() + "\"")) {
        if (!missing.removeIf(rule -> normal(line).startsWith(normal(rule)))) {
          script.append("delete rule ").append(chain).append(line.substring(line.lastIndexOf(" handle "))).append('\n');
        }
      }
      closed |= line.contains("drop") || line.contains("reject") || line.contains("jump") || line.contains("goto");
    }
    if (closed) {
      missing.forEach(rule -> script.append("insert rule ").append(chain).append(' ').append(rule).append('\n'));
    }
    if (!script.isEmpty()) {
      commands.feed(script.toString(), "nft", "-f", "-");
    }
  }

  /** nft prints sets in an order and with names of its own; what matters is the set of words. */
  private static String normal(String rule) {
    String text = rule.contains(" # handle") ? rule.substring(0, rule.indexOf(" # handle")) : rule;
    return String.join(" ", new java.util.TreeSet<>(List.of(text.replace(",", " ").replace("domain", "53").split("\\s+"))));
  }

  /** Takes out everything that {@link #apply} may have put in. */
  void remove() throws Commands.Failed {
    while (iptables("-D", "INPUT", "-j", ownership.inputChain())) {
      // one jump per turn
    }
    iptables("-F", ownership.inputChain());
    iptables("-X", ownership.inputChain());
    nativeChains(List.of());
  }

  private static Iterable<JsonNode> json(String text) throws Commands.Failed {
    try {
      return Engine.JSON.readTree(text).path("nftables");
    } catch (JsonProcessingException e) {
      throw new Commands.Failed("nft printed no JSON: " + e.getOriginalMessage());
    }
  }

  private static String[] words(String line) {
    return line.split(" ");
  }
}
