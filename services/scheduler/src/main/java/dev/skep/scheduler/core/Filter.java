package dev.skep.scheduler.core;

import dev.skep.api.v1.Platform;
import dev.skep.api.v1.PluginDescription;
import java.util.List;
import java.util.Locale;

/** The reasons for which a node is out of the question, in the order in which they are looked at. */
enum Filter {
  READY("%s not available for new tasks") {
    @Override
    boolean admits(Demand demand, Candidate candidate) {
      return candidate.node().takesTasks();
    }
  },
  RESOURCES("insufficient resources on %s") {
    @Override
    boolean admits(Demand demand, Candidate candidate) {
      return !demand.reserves() || candidate.hasRoomFor(demand);
    }
  },
  PLUGINS("missing plugin on %s") {
    @Override
    boolean admits(Demand demand, Candidate candidate) {
      List<PluginDescription> plugins = candidate.node().status().getDescription().getEngine().getPluginsList();
      return plugins.isEmpty() // a node that does not report any
          || demand.logDrivers().stream().allMatch(name -> has(plugins, "Log", name))
              && demand.volumeDrivers().stream().allMatch(name -> has(plugins, "Volume", name));
    }
  },
  CONSTRAINTS("scheduling constraints not satisfied on %s") {
    @Override
    boolean admits(Demand demand, Candidate candidate) {
      return demand.constraints().stream().allMatch(constraint -> constraint.matches(candidate.node()));
    }
  },
  PLATFORM("unsupported platform on %s") {
    @Override
    boolean admits(Demand demand, Candidate candidate) {
      Platform mine = candidate.node().status().getDescription().getPlatform();
      return demand.platforms().isEmpty() || demand.platforms().stream().anyMatch(wanted -> runs(mine, wanted));
    }
  },
  HOST_PORTS("host-mode port already in use on %s") {
    @Override
    boolean admits(Demand demand, Candidate candidate) {
      return candidate.hasPortsFor(demand);
    }
  },
  MAX_REPLICAS("max replicas per node limit exceed") {
    @Override
    boolean admits(Demand demand, Candidate candidate) {
      return demand.maxReplicas() == 0 || candidate.liveOf(demand.serviceId()) < demand.maxReplicas();
    }
  };

  private final String explanation;

  Filter(String explanation) {
    this.explanation = explanation;
  }

  abstract boolean admits(Demand demand, Candidate candidate);

  /** Swarm's own words. */
  String explain(int nodes) {
    return String.format(explanation, nodes == 1 ? "1 node" : nodes + " nodes");
  }

  private static boolean has(List<PluginDescription> plugins, String type, String name) {
    return plugins.stream()
        .anyMatch(plugin -> plugin.getType().equals(type) && (plugin.getName().equals(name) || plugin.getName().equals(name + ":latest")));
  }

  private static boolean runs(Platform mine, Platform wanted) {
    boolean os = wanted.getOs().isEmpty() || wanted.getOs().equalsIgnoreCase(mine.getOs());
    return os && (wanted.getArchitecture().isEmpty() || plain(wanted.getArchitecture()).equals(plain(mine.getArchitecture())));
  }

  /** Kernels and image registries name the same machine differently. */
  private static String plain(String architecture) {
    String name = architecture.toLowerCase(Locale.ROOT);
    return switch (name) {
      case "x86_64" -> "amd64";
      case "aarch64" -> "arm64";
      default -> name;
    };
  }
}
