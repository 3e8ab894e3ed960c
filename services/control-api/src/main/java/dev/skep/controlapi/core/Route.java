package dev.skep.controlapi.core;

import java.util.List;

/**
 * Every route of the API and whose it is. This is the one place: requests are routed by it and docs/COMPATIBILITY.md is
 * made from it. What no row names is the engine's, except below the paths of swarm.
 */
public enum Route {
  PING(By.OURS, "GET|HEAD /_ping", "with the version that both this API and the engine speak"),
  VERSION(By.MERGED, "GET /version", "the engine's, with Skep as a component"),
  INFO(By.MERGED, "GET /info", "the engine's, with the cluster in place of its own swarm part; on a worker: node, address and managers"),
  EVENTS(By.MERGED, "GET /events", "the engine's and those of services, nodes and networks, in one stream"),

  SWARM_INSPECT(By.OURS, "GET /swarm", ""),
  SWARM_INIT(By.OURS, "POST /swarm/init", "not built: autolock, external CAs"),
  SWARM_JOIN(By.OURS, "POST /swarm/join", "the token says the role; a manager of an embedded cluster is refused with the way to have several"),
  SWARM_LEAVE(By.OURS, "POST /swarm/leave", "on the manager, with force=1, it erases the cluster"),
  SWARM_UPDATE(By.OURS, "POST /swarm/update", "rotates join tokens and the root; not built: autolock, external CAs, a root of one's own"),
  SWARM_UNLOCK_KEY(By.OURS, "GET /swarm/unlockkey", "always empty: autolock is not built yet"),
  SWARM_UNLOCK(By.OURS, "POST /swarm/unlock", "a swarm is never locked: autolock is not built yet"),

  NODE_LIST(By.OURS, "GET /nodes", ""),
  NODE_INSPECT(By.OURS, "GET /nodes/{id}", ""),
  NODE_REMOVE(By.OURS, "DELETE /nodes/{id}", ""),
  NODE_UPDATE(By.OURS, "POST /nodes/{id}/update", "availability, labels, role; of an embedded cluster no second manager"),

  SERVICE_LIST(By.OURS, "GET /services", ""),
  SERVICE_CREATE(By.OURS, "POST /services/create", "options that are not built yet answer 501 with their name"),
  SERVICE_INSPECT(By.OURS, "GET /services/{id}", ""),
  SERVICE_REMOVE(By.OURS, "DELETE /services/{id}", ""),
  SERVICE_UPDATE(By.OURS, "POST /services/{id}/update", "not built: rollback"),
  SERVICE_LOGS(By.OURS, "GET /services/{id}/logs", ""),

  TASK_LIST(By.OURS, "GET /tasks", ""),
  TASK_INSPECT(By.OURS, "GET /tasks/{id}", ""),
  TASK_LOGS(By.OURS, "GET /tasks/{id}/logs", ""),

  SECRET_LIST(By.OURS, "GET /secrets", "always empty: secrets are not built yet"),
  SECRET_CREATE(By.OURS, "POST /secrets/create", "answers 501"),
  SECRET_INSPECT(By.OURS, "GET /secrets/{id}", "answers 404"),
  SECRET_REMOVE(By.OURS, "DELETE /secrets/{id}", "answers 404"),
  SECRET_UPDATE(By.OURS, "POST /secrets/{id}/update", "answers 501"),
  CONFIG_LIST(By.OURS, "GET /configs", "always empty: configs are not built yet"),
  CONFIG_CREATE(By.OURS, "POST /configs/create", "answers 501"),
  CONFIG_INSPECT(By.OURS, "GET /configs/{id}", "answers 404"),
  CONFIG_REMOVE(By.OURS, "DELETE /configs/{id}", "answers 404"),
  CONFIG_UPDATE(By.OURS, "POST /configs/{id}/update", "answers 501"),

  DISTRIBUTION(By.MERGED, "GET /distribution/{name...}/json", "asked of the engine; a slow registry is given up on after 3 s"),

  NETWORK_LIST(By.MERGED, "GET /networks", "overlay networks are ours; their bridges on the engine are shown under their names only"),
  NETWORK_CREATE(By.MERGED, "POST /networks/create", "overlay ones are ours; not built: encrypted, attachable and IPv6 ones"),
  NETWORK_PRUNE(By.MERGED, "POST /networks/prune", "leaves ours alone"),
  NETWORK_INSPECT(By.MERGED, "GET /networks/{id}", ""),
  NETWORK_REMOVE(By.MERGED, "DELETE /networks/{id}", ""),
  NETWORK_CONNECT(By.MERGED, "POST /networks/{id}/connect", "ours answer 501: attaching containers to them is not built yet"),
  NETWORK_DISCONNECT(By.MERGED, "POST /networks/{id}/disconnect", "ours answer 501"),

  CONTAINER_CREATE(By.MERGED, "POST /containers/create", "on one of our networks it answers 501"),
  CONTAINER_PRUNE(By.MERGED, "POST /containers/prune", "leaves the containers of tasks alone"),

  CONTAINERS(By.ENGINE, "* /containers/{rest...}", "attach and exec streams included"),
  EXEC(By.ENGINE, "* /exec/{rest...}", ""),
  IMAGES(By.ENGINE, "* /images/{rest...}", ""),
  BUILD(By.ENGINE, "* /build", ""),
  BUILD_PRUNE(By.ENGINE, "* /build/{rest...}", ""),
  SESSION(By.ENGINE, "* /session", "upgraded to HTTP/2 between client and engine"),
  GRPC(By.ENGINE, "* /grpc", "upgraded to HTTP/2 between client and engine"),
  COMMIT(By.ENGINE, "* /commit", ""),
  AUTH(By.ENGINE, "* /auth", ""),
  VOLUMES(By.ENGINE, "* /volumes", ""),
  VOLUME(By.ENGINE, "* /volumes/{rest...}", ""),
  PLUGINS(By.ENGINE, "* /plugins", ""),
  PLUGIN(By.ENGINE, "* /plugins/{rest...}", ""),
  DISK_USAGE(By.ENGINE, "GET /system/df", ""),
  ELSE(By.ENGINE, "* /{rest...}", "whatever else the engine knows");

  /** Who answers. */
  public enum By {
    OURS("ours"),
    ENGINE("engine"),
    MERGED("merged");

    private final String word;

    By(String word) {
      this.word = word;
    }

    public String word() {
      return word;
    }
  }

  /** A route and the parts of the path that stand for its holes, in order. */
  public record Match(Route route, List<String> parts) {
    public String first() {
      return parts.getFirst();
    }
  }

  private static final List<String> SWARM_ROOTS = List.of("swarm", "nodes", "services", "tasks", "secrets", "configs");

  private final By by;
  private final List<String> methods;
  private final String pattern;
  private final String remark;

  Route(By by, String methodsAndPattern, String remark) {
    int blank = methodsAndPattern.indexOf(' ');
    this.by = by;
    this.methods = List.of(methodsAndPattern.substring(0, blank).split("\\|"));
    this.pattern = methodsAndPattern.substring(blank + 1);
    this.remark = remark;
  }

  public By by() {
    return by;
  }

  public List<String> methods() {
    return methods;
  }

  public String pattern() {
    return pattern;
  }

  public String remark() {
    return remark;
  }

  /**
   * The route of a request, by method and decoded path segments; null when there is none: below swarm's own paths nothing
   * is ever asked of the engine.
   */
  public static Match find(String method, List<String> segments) {
    for (Route route : values()) {
      if (route.methods.contains("*") || route.methods.contains(method)) {
        List<String> parts = PathPattern.match(route.pattern, segments);
        if (parts != null) {
          boolean astray = route == ELSE && !segments.isEmpty() && SWARM_ROOTS.contains(segments.getFirst());
          return astray ? null : new Match(route, parts);
        }
      }
    }
    return null;
  }
}
