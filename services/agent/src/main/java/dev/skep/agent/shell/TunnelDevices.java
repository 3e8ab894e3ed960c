package dev.skep.agent.shell;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.skep.agent.core.NetworkHave;
import dev.skep.agent.core.Ownership;
import dev.skep.agent.core.Reach;
import dev.skep.agent.core.Tunnel;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** VXLAN devices of this instance: makes them, and reads what the kernel knows of other nodes. Blocking. */
final class TunnelDevices {
  private static final Logger LOG = LoggerFactory.getLogger(TunnelDevices.class);

  private final Commands commands;
  private final Ownership ownership;

  TunnelDevices(Commands commands, Ownership ownership) {
    this.commands = commands;
    this.ownership = ownership;
  }

  /** Devices of ours, also of an earlier life, and neighbours on the bridges that stand. */
  Reach look(NetworkHave have) throws Commands.Failed {
    SortedMap<String, Tunnel> found = new TreeMap<>();
    for (JsonNode link : ours(commands, ownership)) {
      JsonNode about = link.path("linkinfo").path("info_data");
      found.put(
          link.path("ifname").asText(),
          new Tunnel(
              link.path("ifname").asText(),
              bridge(link),
              about.path("id").asInt(),
              about.path("local").asText(),
              about.path("port").asInt(),
              link.path("mtu").asInt(),
              new TreeMap<>()));
    }
    if (!found.isEmpty()) {
      forwarding(found);
    }
    return new Reach(found, have.overlays().isEmpty() ? new TreeMap<>() : neighbours(have));
  }

  private static Set<JsonNode> ours(Commands commands, Ownership ownership) throws Commands.Failed {
    Set<JsonNode> ours = new HashSet<>();
    for (JsonNode link : json(commands, "ip", "-j", "-d", "link", "show", "type", "vxlan")) {
      // A name tells the instances apart only together with the number.
      if (link.path("ifname").asText().equals(ownership.tunnel(link.path("linkinfo").path("info_data").path("id").asInt()))) {
        ours.add(link);
      }
    }
    return ours;
  }

  /** Only if it is the port that we made of it. */
  private static String bridge(JsonNode link) {
    JsonNode port = link.path("linkinfo").path("info_slave_data");
    boolean up = false;
    for (JsonNode flag : link.path("flags")) {
      up |= flag.asText().equals("UP");
    }
    boolean right = up && port.path("neigh_suppress").asBoolean() && !port.path("learning").asBoolean() && !port.path("hairpin").asBoolean();
    return right ? link.path("master").asText("") : "";
  }

  /** The device knows the node, the bridge knows the device: both halves or it does not count. */
  private void forwarding(SortedMap<String, Tunnel> found) throws Commands.Failed {
    Map<String, SortedMap<String, String>> nodes = new TreeMap<>();
    Map<String, Set<String>> bridged = new TreeMap<>();
    for (JsonNode entry : json(commands, "bridge", "-j", "fdb", "show")) {
      String device = entry.path("ifname").asText();
      String mac = entry.path("mac").asText();
      if (found.containsKey(device)) {
        if (entry.has("dst")) {
          nodes.computeIfAbsent(device, _ -> new TreeMap<>()).put(mac, entry.path("dst").asText());
        } else if (entry.path("master").asText("").equals(found.get(device).bridge()) && fixed(entry)) {
          bridged.computeIfAbsent(device, _ -> new HashSet<>()).add(mac);
        }
      }
    }
    nodes.forEach((device, entries) -> {
      Set<String> known = bridged.getOrDefault(device, Set.of());
      entries.replaceAll((mac, node) -> known.contains(mac) ? node : "");
      Tunnel t = found.get(device);
      found.put(device, new Tunnel(device, t.bridge(), t.vni(), t.local(), t.port(), t.mtu(), entries));
    });
    bridged.forEach((device, macs) -> {
      Tunnel t = found.get(device);
      SortedMap<String, String> entries = new TreeMap<>(t.forwarding());
      macs.forEach(mac -> entries.putIfAbsent(mac, ""));
      found.put(device, new Tunnel(device, t.bridge(), t.vni(), t.local(), t.port(), t.mtu(), entries));
    });
  }

  private static boolean fixed(JsonNode entry) {
    boolean sticky = false;
    for (JsonNode flag : entry.path("flags")) {
      sticky |= flag.asText().equals("sticky");
    }
    return sticky && entry.path("state").asText().equals("static");
  }

  private SortedMap<String, SortedMap<String, String>> neighbours(NetworkHave have) throws Commands.Failed {
    Set<String> bridges = new HashSet<>();
    have.overlays().values().forEach(overlay -> bridges.add(overlay.bridge()));
    SortedMap<String, SortedMap<String, String>> neighbours = new TreeMap<>();
    for (JsonNode entry : json(commands, "ip", "-4", "-j", "neigh", "show", "nud", "permanent")) {
      String bridge = entry.path("dev").asText();
      if (bridges.contains(bridge)) {
        neighbours.computeIfAbsent(bridge, _ -> new TreeMap<>()).put(entry.path("dst").asText(), entry.path("lladdr").asText());
      }
    }
    return neighbours;
  }

  /** @return why it cannot be made */
  Optional<String> create(Tunnel tunnel) {
    try {
      String about = " type vxlan id " + tunnel.vni() + " dstport " + tunnel.port() + " local " + tunnel.local() + " nolearning";
      String line = "ip link add " + tunnel.device() + " mtu " + tunnel.mtu() + about;
      commands.run(line.split(" "));
      return Optional.empty();
    } catch (Commands.Failed failed) {
      LOG.warn("no way to other nodes: {}; tried again", failed.getMessage());
      return Optional.of("VXLAN device " + tunnel.device() + " cannot be made: " + failed.getMessage());
    }
  }

  void remove(String device) {
    remove(commands, device);
  }

  private static void remove(Commands commands, String device) {
    try {
      commands.run("ip", "link", "del", "dev", device);
    } catch (Commands.Failed gone) {
      LOG.debug("device {}: {}", device, gone.getMessage());
    }
  }

  static void removeAll(Commands commands, Ownership ownership) throws Commands.Failed {
    for (JsonNode link : ours(commands, ownership)) {
      remove(commands, link.path("ifname").asText());
    }
  }

  private static JsonNode json(Commands commands, String... command) throws Commands.Failed {
    try {
      String text = commands.run(command);
      return Engine.JSON.readTree(text.isBlank() ? "[]" : text);
    } catch (JsonProcessingException e) {
      throw new Commands.Failed(command[0] + " printed no JSON: " + e.getOriginalMessage());
    }
  }
}
