package dev.skep.agent.shell;

import com.fasterxml.jackson.databind.JsonNode;
import dev.skep.api.v1.EngineDescription;
import dev.skep.api.v1.NodeDescription;
import dev.skep.api.v1.Platform;
import dev.skep.api.v1.PluginDescription;
import dev.skep.api.v1.Resources;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What this node is. Blocking. */
final class NodeFacts {
  private static final int ETHERNET_LESS_VXLAN = 1450;
  private static final int VXLAN = 50;

  private NodeFacts() {}

  static NodeDescription describe(Engine engine) throws EngineException {
    JsonNode info = engine.get("/info");
    EngineDescription.Builder about = EngineDescription.newBuilder().setEngineVersion(info.path("ServerVersion").asText());
    for (JsonNode label : info.path("Labels")) {
      String[] pair = label.asText().split("=", 2);
      about.putLabels(pair[0], pair.length == 2 ? pair[1] : "");
    }
    List<PluginDescription> plugins = new ArrayList<>();
    for (String type : List.of("Log", "Network", "Volume")) {
      for (JsonNode name : info.path("Plugins").path(type)) {
        plugins.add(PluginDescription.newBuilder().setType(type).setName(name.asText()).build());
      }
    }
    boolean overlay = plugins.stream().anyMatch(p -> p.getType().equals("Network") && p.getName().equals("overlay"));
    if (!overlay) {
      plugins.add(PluginDescription.newBuilder().setType("Network").setName("overlay").build()); // ours
    }
    plugins.sort(Comparator.comparing(PluginDescription::getType).thenComparing(PluginDescription::getName));
    return NodeDescription.newBuilder()
        .setHostname(info.path("Name").asText())
        .setPlatform(Platform.newBuilder().setArchitecture(info.path("Architecture").asText()).setOs(info.path("OSType").asText()))
        .setResources(
            Resources.newBuilder().setNanoCpus(info.path("NCPU").asLong() * 1_000_000_000L).setMemoryBytes(info.path("MemTotal").asLong()))
        .setEngine(about.addAllPlugins(plugins))
        .build();
  }

  /** Inner packets must fit into the underlay with the tunnel's header around them. */
  static int mtu(String underlayAddress) {
    try {
      NetworkInterface device =
          underlayAddress.isEmpty() ? null : NetworkInterface.getByInetAddress(InetAddress.getByName(underlayAddress));
      return device == null || device.isLoopback() ? ETHERNET_LESS_VXLAN : Math.min(device.getMTU(), 9000) - VXLAN;
    } catch (IOException e) {
      return ETHERNET_LESS_VXLAN;
    }
  }

  /** Where this host itself asks for names. */
  static List<String> resolvers() {
    try {
      return Files.readAllLines(Path.of("/etc/resolv.conf")).stream()
          .map(String::strip)
          .filter(line -> line.startsWith("nameserver"))
          .map(line -> line.substring("nameserver".length()).strip())
          .filter(address -> !address.isEmpty())
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** Changes with every start of the machine. */
  static String bootId() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
