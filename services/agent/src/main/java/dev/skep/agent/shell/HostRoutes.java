package dev.skep.agent.shell;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.skep.state.Subnet;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;

/** What this host's routing table leads to besides our own overlays. */
final class HostRoutes {
  private HostRoutes() {}

  /** Networks of the main table, default routes and our bridges excepted. */
  static Collection<String> foreign(Commands commands, Set<String> ourBridges) throws Commands.Failed {
    Set<String> routes = new TreeSet<>();
    try {
      for (JsonNode route : Engine.JSON.readTree(commands.run("ip", "-4", "-j", "route", "show", "table", "main"))) {
        String to = route.path("dst").asText("default");
        if (!to.equals("default") && !ourBridges.contains(route.path("dev").asText())) {
          routes.add(Subnet.parse(to.contains("/") ? to : to + "/32").toString());
        }
      }
    } catch (JsonProcessingException e) {
      throw new Commands.Failed("ip printed no JSON: " + e.getOriginalMessage());
    }
    return routes;
  }
}
