package dev.skep.controlapi.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The table of routes, and the page that is made from it. */
class RouteTest {
  private static final Path PAGE = Path.of("..", "..", "docs", "COMPATIBILITY.md");

  private static Route.Match find(String method, String path) {
    return Route.find(method, List.of(path.substring(1).split("/")));
  }

  @Test
  void imageNamesHaveSlashes() {
    Route.Match match = find("GET", "/distribution/127.0.0.1:5000/team/bb:2@sha256:ab/json");
    assertThat(match.route()).isEqualTo(Route.DISTRIBUTION);
    assertThat(match.first()).isEqualTo("127.0.0.1:5000/team/bb:2@sha256:ab");
  }

  @Test
  void exactRoutesComeBeforeThoseWithHoles() {
    assertThat(find("POST", "/services/create").route()).isEqualTo(Route.SERVICE_CREATE);
    assertThat(find("POST", "/networks/prune").route()).isEqualTo(Route.NETWORK_PRUNE);
    assertThat(find("POST", "/containers/create").route()).isEqualTo(Route.CONTAINER_CREATE);
    assertThat(find("GET", "/networks/prune").route()).isEqualTo(Route.NETWORK_INSPECT);
    assertThat(find("POST", "/containers/c1/start").route()).isEqualTo(Route.CONTAINERS);
  }

  @Test
  void nothingOfSwarmsIsEverAskedOfTheEngine() {
    for (String path : List.of("/swarm/nosuch", "/services/a/b/c", "/nodes/x/y", "/secrets/a/b", "/tasks/a/b")) {
      assertThat(find("GET", path)).as(path).isNull();
    }
    assertThat(find("PUT", "/services")).isNull();
    assertThat(find("GET", "/whatever/comes").route()).isEqualTo(Route.ELSE);
  }

  @Test
  void everyRouteIsFoundByItsOwnPattern() {
    for (Route route : Route.values()) {
      String path = route.pattern().replaceAll("\\{[a-z]+\\.\\.\\.\\}", "a").replaceAll("\\{[a-z]+\\}", "b");
      for (String method : route.methods()) {
        Route.Match match = find(method.equals("*") ? "POST" : method, path);
        assertThat(match.route()).as(route.name()).isEqualTo(route);
      }
    }
  }

  @Test
  void thePageIsFresh() throws Exception {
    if (System.getenv("SKEP_REFRESH") != null) {
      Files.writeString(PAGE, page());
    }
    assertThat(Files.exists(PAGE) ? Files.readString(PAGE) : "")
        .as("docs/COMPATIBILITY.md is stale: SKEP_REFRESH=1 mvn -Pcheck test -pl services/control-api -Dtest=RouteTest")
        .isEqualTo(page());
  }

  private static String page() {
    StringBuilder page =
        new StringBuilder(
            """
            # Routes of the Docker Engine API

            Made from `dev.skep.controlapi.core.Route` by `RouteTest`; do not edit.

            API version 1.44, at least 1.24, and never above the engine's own (1.41 with Debian's 20.10).
            **ours**: answered from the cluster's state. **engine**: passed through byte by byte, upgrades included; over TCP refused.
            **merged**: the engine's answer with the cluster's part, or one of the two, depending on the object.

            | method | path | who answers | remark |
            |---|---|---|---|
            """);
    for (Route route : Route.values()) {
      String methods = route.methods().contains("*") ? "all" : String.join(", ", route.methods());
      page.append("| ").append(methods).append(" | `").append(route.pattern()).append("` | ").append(route.by().word());
      page.append(" | ").append(route.remark()).append(" |\n");
    }
    return page.toString();
  }
}
