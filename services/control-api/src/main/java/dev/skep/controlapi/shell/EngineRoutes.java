package dev.skep.controlapi.shell;

import dev.skep.backend.StoreException;
import dev.skep.controlapi.codec.DockerJson;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.shell.engine.ApiVersion;
import dev.skep.controlapi.shell.engine.Engine;
import dev.skep.controlapi.shell.engine.EngineJson;
import dev.skep.controlapi.shell.engine.EngineReply;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.JsonText;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import dev.skep.api.v1.SwarmInfo;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.runtime.SessionState;
import dev.skep.state.ClusterState;
import dev.skep.state.view.SwarmView;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Routes of the engine's into which the cluster has a word to say. */
final class EngineRoutes {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String SKEP_VERSION = "0.1.0";
  private static final Set<String> NETWORK_MODES = Set.of("", "default", "bridge", "host", "none");

  private final Host host;
  private final Cluster cluster;
  private final NetworkRoutes networks;
  private final Engine engine;
  private final Duration distributionLimit;

  EngineRoutes(Host host, Cluster cluster, NetworkRoutes networks, Engine engine, Duration distributionLimit) {
    this.host = host;
    this.cluster = cluster;
    this.networks = networks;
    this.engine = engine;
    this.distributionLimit = distributionLimit;
  }

  /** Also while the store is away: then as it was last seen, and with the reason. */
  Reply info(String version) throws IOException {
    try {
      return info(host.view().fresh(Commits.LIMIT), "", version);
    } catch (StoreException e) {
      return info(host.view().state(), "rpc error: code = Unavailable desc = " + e.told(), version);
    }
  }

  private Reply info(ClusterState state, String problem, String version) throws IOException {
    EngineReply theirs;
    try {
      theirs = engine.get(version + "/info", LIMIT);
    } catch (IOException e) {
      return withoutEngine(state, problem, e);
    }
    if (!theirs.ok()) {
      return new Reply.Whole(theirs.status(), Reply.JSON, theirs.body(), Map.of());
    }
    return info(EngineJson.object(EngineJson.parse(theirs.body())), state, problem);
  }

  private Reply info(Map<String, Object> info, ClusterState state, String problem) {
    SwarmInfo swarm = swarm(state);
    info.put("Swarm", EngineJson.ready(DockerJson.write(problem.isEmpty() ? swarm : swarm.toBuilder().setError(problem).build())));
    return new Reply.Whole(200, Reply.JSON, EngineJson.write(info), Map.of());
  }

  /** {@code docker node ls} asks this first: a member whose engine is away can still show its cluster. */
  private Reply withoutEngine(ClusterState state, String problem, IOException why) throws IOException {
    if (cluster.standing(state) instanceof Standing.Outside) {
      throw why;
    }
    Map<String, Object> info = new LinkedHashMap<>();
    info.put("Warnings", List.of("WARNING: the engine at " + engine.socket() + " does not answer: " + why.getMessage()));
    return info(info, state, problem);
  }

  /** Pending until the node has come through to a manager for the first time; what is in its way later stands beside it. */
  private static SwarmInfo worker(Membership.Identity me, SessionState.Now session) {
    boolean pending = !session.open() && session.problem().isEmpty();
    return SwarmView.workerInfo(me.nodeId(), me.advertiseAddress(), me.managers()).toBuilder()
        .setLocalNodeState(pending ? "pending" : "active")
        .setError(session.open() ? "" : session.problem())
        .build();
  }

  /** A host whose process is about to start again as a manager's: whoever made it join asks at once what it became. */
  private static SwarmInfo manager(Membership.Identity me) {
    return SwarmView.workerInfo(me.nodeId(), me.advertiseAddress(), me.managers()).toBuilder()
        .setLocalNodeState("pending")
        .setControlAvailable(true)
        .build();
  }

  private SwarmInfo swarm(ClusterState state) {
    return switch (cluster.standing(state)) {
      case Standing.Outside _ -> cluster.becomes().map(EngineRoutes::manager)
          .orElseGet(() -> SwarmInfo.newBuilder().setLocalNodeState("inactive").build());
      case Standing.Worker(Membership.Identity me) -> worker(me, host.session().now());
      case Standing.Managing(Membership.Identity me) -> {
        SwarmInfo swarm = SwarmView.info(state, me.nodeId());
        yield swarm.getNodeAddr().isEmpty() ? swarm.toBuilder().setNodeAddr(me.advertiseAddress()).build() : swarm;
      }
    };
  }

  Reply version(String version, ApiVersion spoken) throws IOException {
    EngineReply theirs = engine.get(version + "/version", LIMIT);
    Map<String, Object> info = theirs.ok() ? EngineJson.object(EngineJson.parse(theirs.body())) : new LinkedHashMap<>();
    List<Object> components = new ArrayList<>(EngineJson.list(info.get("Components")));
    Map<String, Object> skep = new LinkedHashMap<>();
    skep.put("Name", "Skep");
    skep.put("Version", SKEP_VERSION);
    skep.put("Details", new TreeMap<>(Map.of("ApiVersion", spoken.toString(), "MinAPIVersion", ApiVersion.OLDEST.toString())));
    components.add(skep);
    info.put("Components", components);
    info.put("ApiVersion", spoken.toString());
    info.put("MinAPIVersion", ApiVersion.OLDEST.toString());
    return new Reply.Whole(200, Reply.JSON, EngineJson.write(info), Map.of());
  }

  /** Asked and answered quickly: every service create waits for it, and goes on with any error. */
  Reply distribution(Request request, String name, String version) {
    try {
      Map<String, String> auth = new TreeMap<>();
      request.head().header("X-Registry-Auth").ifPresent(value -> auth.put("X-Registry-Auth", value));
      String path = String.join("/", Arrays.stream(name.split("/")).map(NetworkRoutes::encoded).toList());
      EngineReply theirs = engine.call("GET", version + "/distribution/" + path + "/json", auth, distributionLimit);
      return new Reply.Whole(theirs.status(), Reply.JSON, theirs.body(), Map.of());
    } catch (IOException e) {
      return Reply.error(500, "the registry of " + name + " did not answer: " + e.getMessage());
    }
  }

  /** The engine prunes, with a filter more: what carries our label is kept. */
  Reply prune(Request request) throws MalformedRequest {
    Answer<Map<String, Set<String>>> filters = Replies.filters(request);
    return Replies.of(
        filters,
        asked -> {
          Map<String, Set<String>> kept = new TreeMap<>(asked);
          Set<String> labels = new TreeSet<>(asked.getOrDefault("label!", Set.of()));
          labels.add(Backing.OWNER_LABEL);
          kept.put("label!", labels);
          return new Reply.Passed(request.path() + "?filters=" + NetworkRoutes.encoded(json(kept)), new byte[0]);
        });
  }

  private static String json(Map<String, Set<String>> filters) {
    List<String> keys = new ArrayList<>();
    filters.forEach(
        (key, values) ->
            keys.add(JsonText.quoted(key) + ":{"
                + String.join(",", values.stream().map(value -> JsonText.quoted(value) + ":true").toList()) + "}"));
    return "{" + String.join(",", keys) + "}";
  }

  /** A container on one of our networks would take an address there that the cluster knows nothing of. */
  Reply createContainer(ClusterState state, Request request, String version) throws IOException, MalformedRequest, InterruptedException {
    Map<String, Object> body;
    try {
      body = EngineJson.object(EngineJson.parse(request.body()));
    } catch (IOException _) { // the engine has its own words for what is no JSON
      return new Reply.Passed(request.head().target(), request.body());
    }
    List<String> named = new ArrayList<>(EngineJson.object(EngineJson.object(body.get("NetworkingConfig")).get("EndpointsConfig"))
        .keySet());
    named.add(EngineJson.text(EngineJson.object(body.get("HostConfig")).get("NetworkMode")));
    for (String network : named) {
      if (!NETWORK_MODES.contains(network) && !network.startsWith("container:")
          && networks.find(state, request, network, version).isPresent()) {
        return Replies.error(NetworkRoutes.attaching());
      }
    }
    return new Reply.Passed(request.head().target(), request.body());
  }
}
