package dev.skep.agent.shell;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.skep.agent.core.Drift;
import dev.skep.agent.core.NetworkHave;
import dev.skep.agent.core.NetworkWant.Overlay;
import dev.skep.agent.core.Ownership;
import dev.skep.agent.core.Reach;
import dev.skep.agent.shell.EngineException.Refused;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds what others removed of our networks, and brings back bridges under running containers. Blocking. */
final class NetworkDrift {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkDrift.class);

  private final Engine engine;
  private final Commands commands;
  private final Ownership ownership;
  private final TunnelDevices tunnels;

  NetworkDrift(Engine engine, Commands commands, Ownership ownership) {
    this.engine = engine;
    this.commands = commands;
    this.ownership = ownership;
    this.tunnels = new TunnelDevices(commands, ownership);
  }

  Drift look(NetworkHave have) throws EngineException, Commands.Failed {
    Set<String> networks = new HashSet<>();
    for (JsonNode network : NodeNetworks.ours(engine, ownership.instance())) {
      networks.add(NodeNetworks.labels(network).getOrDefault(Ownership.NETWORK, ""));
    }
    Set<String> local = new HashSet<>();
    Set<String> linked = new HashSet<>();
    for (JsonNode route : json("ip", "-4", "-j", "route", "show", "table", "all")) {
      String type = route.path("type").asText("unicast");
      if (type.equals("local") || type.equals("unicast")) {
        (type.equals("local") ? local : linked).add(route.path("dst").asText() + " " + route.path("dev").asText());
      }
    }
    Set<String> chains = new HashSet<>();
    Set<String> filled = new HashSet<>();
    if (tableStands()) {
      for (JsonNode entry : json("nft", "-t", "-j", "list", "table", "ip", ownership.table()).path("nftables")) {
        chains.add(entry.path("chain").path("name").asText());
        filled.add(entry.path("rule").path("chain").asText());
      }
    }
    // A node that is alone has nothing to lose there, and is not asked.
    Reach reach = have.reach().isEmpty() ? Reach.NONE : tunnels.look(have);
    return Drift.of(have, new Drift.Seen(networks, chains, filled, local, linked, reach));
  }

  private boolean tableStands() throws Commands.Failed {
    for (JsonNode entry : json("nft", "-j", "list", "tables", "ip").path("nftables")) {
      if (entry.path("table").path("name").asText().equals(ownership.table())) {
        return true;
      }
    }
    return false;
  }

  /** What no plan does: stray addresses go, bridges come back. The rest is for the next plan. */
  void mend(Drift drift) throws EngineException, Commands.Failed {
    if (!drift.strays().isEmpty()) {
      StringBuilder lines = new StringBuilder();
      drift.strays().forEach(stray -> lines.append("route del local ").append(stray.replace(" ", "/32 dev ")).append('\n'));
      commands.feed(lines.toString(), "ip", "-batch", "-");
    }
    for (Overlay overlay : drift.bridges()) {
      restore(overlay);
    }
  }

  /** Makes a bridge again as the engine made it, and plugs the containers in that are still on its network. */
  private void restore(Overlay overlay) throws EngineException, Commands.Failed {
    Map<Integer, String> devices = new HashMap<>();
    for (JsonNode link : json("ip", "-j", "link", "show")) {
      devices.put(link.path("ifindex").asInt(), link.path("ifname").asText());
    }
    StringBuilder lines = new StringBuilder();
    String bridge = overlay.bridge();
    if (!devices.containsValue(bridge)) {
      lines.append("link add name ").append(bridge).append(" type bridge\n");
    }
    lines.append("link set dev ").append(bridge).append(" mtu ").append(overlay.mtu()).append(" up\n");
    lines.append("addr replace ").append(overlay.gateway()).append(overlay.subnet().substring(overlay.subnet().indexOf('/')));
    lines.append(" dev ").append(bridge).append('\n');
    for (int port : ports(overlay)) {
      if (devices.containsKey(port)) {
        lines.append("link set dev ").append(devices.get(port)).append(" master ").append(bridge).append(" up\n");
      }
    }
    commands.feed(lines.toString(), "ip", "-batch", "-");
  }

  /** Interface numbers of this host's ends of the cables to the network's containers. */
  private Set<Integer> ports(Overlay overlay) throws EngineException {
    Set<Integer> ports = new HashSet<>();
    JsonNode containers = engine.get("/networks/" + Ownership.engineNetwork(overlay.id())).path("Containers");
    for (Map.Entry<String, JsonNode> container : containers.properties()) {
      try {
        int pid = engine.get("/containers/" + container.getKey() + "/json").path("State").path("Pid").asInt();
        port(pid, container.getValue().path("MacAddress").asText(), ports);
      } catch (Refused gone) {
        LOG.debug("container {}: {}", container.getKey(), gone.getMessage());
      }
    }
    return ports;
  }

  /** The container's own view of its devices says which of ours is the other end. */
  private static void port(int pid, String mac, Set<Integer> ports) {
    if (pid == 0) {
      return;
    }
    try (DirectoryStream<Path> devices = Files.newDirectoryStream(Path.of("/proc/" + pid + "/root/sys/class/net"))) {
      for (Path device : devices) {
        if (Files.isDirectory(device) && Files.readString(device.resolve("address")).strip().equalsIgnoreCase(mac)) {
          ports.add(Integer.parseInt(Files.readString(device.resolve("iflink")).strip()));
        }
      }
    } catch (IOException | java.nio.file.DirectoryIteratorException e) {
      LOG.warn("process {} stays off its network: {}", pid, e.toString());
    }
  }

  private JsonNode json(String... command) throws Commands.Failed {
    try {
      String text = commands.run(command);
      return Engine.JSON.readTree(text.isBlank() ? "[]" : text);
    } catch (JsonProcessingException e) {
      throw new Commands.Failed(command[0] + " printed no JSON: " + e.getOriginalMessage());
    }
  }
}
