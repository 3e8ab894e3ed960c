package dev.skep.agent.shell;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.skep.state.Subnet;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/** What this host's routing table leads to besides our own overlays. */
final class HostRoutes {
  private HostRoutes() {}

  /** One route of the main table. */
  record Route(String to, String device) {}

  /** Default routes are left out. */
  static List<Route> all(Commands commands) throws Commands.Failed {
    List<Route> routes = new ArrayList<>();
    try {
      for (JsonNode route : Engine.JSON.readTree(commands.run("ip", "-4", "-j", "route", "show", "table", "main"))) {
        String to = route.path("dst").asText("default");
        if (!to.equals("default")) {
          routes.add(new Route(Subnet.parse(to.contains("/") ? to : to + "/32").toString(), route.path("dev").asText()));
        }
      }
    } catch (JsonProcessingException e) {
      throw new Commands.Failed("ip printed no JSON: " + e.getOriginalMessage());
    }
    return routes;
  }

  /** Networks that are not on our bridges. */
  static SortedSet<String> foreign(List<Route> routes, Set<String> ourBridges) {
    SortedSet<String> foreign = new TreeSet<>();
    routes.stream().filter(route -> !ourBridges.contains(route.device())).forEach(route -> foreign.add(route.to()));
    return foreign;
  }
}
