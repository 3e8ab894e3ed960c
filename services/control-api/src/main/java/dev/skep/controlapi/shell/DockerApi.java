package dev.skep.controlapi.shell;

import dev.skep.backend.StoreException;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.Filters;
import dev.skep.controlapi.core.NotBuilt;
import dev.skep.controlapi.core.ObjectKind;
import dev.skep.controlapi.core.Route;
import dev.skep.controlapi.shell.engine.ApiVersion;
import dev.skep.controlapi.shell.engine.Engine;
import dev.skep.controlapi.shell.engine.EngineFacts;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import dev.skep.runtime.Host;
import dev.skep.state.ClusterState;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From a request to its route's handler; every failure becomes an answer here. */
public final class DockerApi {
  private static final Logger LOG = LoggerFactory.getLogger(DockerApi.class);
  private static final Duration FACTS_LIFE = Duration.ofSeconds(10);
  private static final String WAY_TO_RUN = "keep the value in the image, in an environment variable or in a bind mount";

  private final Host host;
  private final Cluster cluster;
  private final Engine engine;
  private final SwarmRoutes swarm;
  private final NodeRoutes nodes;
  private final ServiceRoutes services;
  private final TaskRoutes tasks = new TaskRoutes();
  private final NetworkRoutes networks;
  private final EngineRoutes engineRoutes;
  private final EventRoutes events;
  private final LogRoutes logs;
  private final ApiMetrics metrics;
  private final AtomicLong asked = new AtomicLong(); // when the engine was last asked what it is, in milliseconds
  private volatile Optional<EngineFacts> facts = Optional.empty();

  DockerApi(
      Host host, Cluster cluster, Commits commits, RootRotator rotator, EventFeed feed, Engine engine, Duration distributionLimit) {
    this.host = host;
    this.cluster = cluster;
    this.engine = engine;
    this.swarm = new SwarmRoutes(cluster, commits, rotator);
    this.nodes = new NodeRoutes(commits, host.storeAccess().shared());
    this.services = new ServiceRoutes(host, cluster, commits);
    this.networks = new NetworkRoutes(host, cluster, commits, engine);
    this.engineRoutes = new EngineRoutes(host, cluster, networks, engine, distributionLimit);
    this.events = new EventRoutes(host, feed, engine);
    this.logs = new LogRoutes(host);
    this.metrics = new ApiMetrics(host.metrics());
  }

  /** Headers of every answer. */
  public Map<String, String> commonHeaders() {
    EngineFacts known = facts();
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Api-Version", spoken().toString());
    headers.put("Docker-Experimental", known.experimental());
    headers.put("Ostype", known.osType());
    headers.put("Server", "Skep/0.1.0 (" + known.osType() + ")");
    return headers;
  }

  /** Never above the engine's own: half of the requests are passed to it as they are. */
  private ApiVersion spoken() {
    return ApiVersion.OURS.min(facts().version());
  }

  private EngineFacts facts() {
    if (facts.isEmpty()) {
      facts = EngineFacts.ask(engine);
    }
    return facts.orElse(EngineFacts.UNKNOWN);
  }

  /** An engine may have been replaced by a newer one; no client waits for the answer. */
  private void refreshFacts() {
    long now = host.clock().millis();
    long last = asked.get();
    if (now - last > FACTS_LIFE.toMillis() && asked.compareAndSet(last, now)) {
      host.blocking("control-api-engine-facts", () -> facts = EngineFacts.ask(engine).or(() -> facts));
    }
  }

  /** Answers whatever comes. */
  public Reply handle(Request request) throws IOException, MalformedRequest, InterruptedException {
    try {
      return versioned(request);
    } catch (StoreException e) {
      LOG.warn("{} {}: {}", request.method(), request.path(), e.told());
      return Reply.error(503, "rpc error: code = " + (e.full() ? "ResourceExhausted" : "Unavailable") + " desc = " + e.told());
    } catch (IOException e) {
      // A client that is gone hears nothing of this; one that is there was told nothing yet.
      return Reply.error(503, "the engine at " + engine.socket() + " does not answer: " + e.getMessage());
    } catch (RuntimeException | StackOverflowError e) {
      metrics.failed();
      LOG.error("{} {} failed", request.method(), request.path(), e);
      return Reply.error(500, "internal error: " + e);
    }
  }

  private Reply versioned(Request request) throws IOException, MalformedRequest, InterruptedException {
    List<String> segments = new ArrayList<>();
    for (String segment : request.path().substring(1).split("/", -1)) {
      segments.add(decoded(segment));
    }
    String prefix = "";
    if (segments.getFirst().matches("v[0-9]+\\.[0-9]+")) {
      prefix = "/" + segments.getFirst();
      Optional<ApiVersion> asked = ApiVersion.parse(segments.removeFirst().substring(1));
      if (asked.isEmpty() || asked.get().compareTo(spoken()) > 0) {
        return Reply.error(400, "client version " + prefix.substring(2) + " is too new. Maximum supported API version is " + spoken());
      }
      if (asked.get().compareTo(ApiVersion.OLDEST) < 0) {
        return Reply.text(
            400,
            "client version " + asked.get() + " is too old. Minimum supported API version is " + ApiVersion.OLDEST
                + ", please upgrade your client to a newer version");
      }
    }
    Route.Match match = Route.find(request.method(), segments);
    if (match == null) {
      return Replies.error(ApiError.pageNotFound());
    }
    long begin = System.nanoTime();
    Reply reply =
        switch (match.route().by()) {
          case ENGINE -> new Reply.Passed(request.head().target(), null);
          case MERGED -> merged(match, request, prefix);
          case OURS -> ours(match, request);
        };
    Reply answer = reply instanceof Reply.Passed passed ? pass(request, passed) : reply;
    metrics.answered(match.route(), answer, System.nanoTime() - begin);
    return answer;
  }

  private static Reply pass(Request request, Reply.Passed passed) {
    if (request.local()) {
      return passed;
    }
    return Reply.error(
        403,
        "passing requests through to the engine over TCP needs TLS with an API client certificate, which is not built yet:"
            + " use the unix socket");
  }

  private static String decoded(String segment) throws MalformedRequest {
    try {
      return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException _) {
      throw new MalformedRequest(400, "malformed path");
    }
  }

  private Reply ping(ClusterState state) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Cache-Control", "no-cache, no-store, must-revalidate");
    headers.put("Pragma", "no-cache");
    headers.put("Swarm", swarmHeader(state));
    if (!facts().builder().isEmpty()) {
      headers.put("Builder-Version", facts().builder());
    }
    return new Reply.Whole(200, Reply.TEXT, "OK".getBytes(StandardCharsets.US_ASCII), headers);
  }

  private String swarmHeader(ClusterState state) {
    return switch (cluster.standing(state)) {
      case Standing.Outside _ -> "inactive";
      case Standing.Worker _ -> "active/worker";
      case Standing.Managing _ -> "active/manager";
    };
  }

  private Reply ours(Route.Match match, Request request) throws IOException, MalformedRequest, InterruptedException {
    if (match.route() == Route.PING) {
      refreshFacts();
      return ping(host.view().state());
    }
    ClusterState state = host.view().fresh(Commits.LIMIT);
    Standing standing = cluster.standing(state);
    switch (match.route()) {
      case SWARM_INIT -> {
        return standing instanceof Standing.Worker ? Replies.error(ApiError.alreadyInSwarm()) : swarm.init(request);
      }
      case SWARM_JOIN -> {
        return swarm.join(request);
      }
      case SWARM_LEAVE -> {
        return swarm.leave(request);
      }
      default -> {
        return switch (standing) {
          case Standing.Outside _ -> Replies.error(ApiError.notInSwarm());
          case Standing.Worker _ -> Replies.error(ApiError.onWorker());
          case Standing.Managing _ -> member(match, request, state);
        };
      }
    }
  }

  private Reply member(Route.Match match, Request request, ClusterState state) throws IOException, MalformedRequest, InterruptedException {
    return switch (match.route()) {
      case SWARM_INSPECT -> swarm.inspect(state);
      case SWARM_UPDATE -> swarm.update(request);
      case SWARM_UNLOCK_KEY -> swarm.unlockKey();
      case SWARM_UNLOCK -> swarm.unlock();
      case NODE_LIST -> nodes.list(state, request);
      case NODE_INSPECT -> nodes.inspect(state, match.first());
      case NODE_REMOVE -> nodes.remove(request, match.first());
      case NODE_UPDATE -> nodes.update(request, match.first());
      case SERVICE_LIST -> services.list(state, request);
      case SERVICE_CREATE -> services.create(request);
      case SERVICE_INSPECT -> services.inspect(state, request, match.first());
      case SERVICE_REMOVE -> services.remove(match.first());
      case SERVICE_UPDATE -> services.update(state, request, match.first());
      case SERVICE_LOGS -> logs.ofService(state, request, match.first());
      case TASK_LIST -> tasks.list(state, request);
      case TASK_INSPECT -> tasks.inspect(state, match.first());
      case TASK_LOGS -> logs.ofTask(state, request, match.first());
      case SECRET_LIST, CONFIG_LIST -> emptyList(request);
      case SECRET_CREATE, SECRET_UPDATE -> Replies.error(NotBuilt.command("secrets", WAY_TO_RUN));
      case CONFIG_CREATE, CONFIG_UPDATE -> Replies.error(NotBuilt.command("configs", WAY_TO_RUN));
      case SECRET_INSPECT, SECRET_REMOVE -> Replies.error(ApiError.notFound(ObjectKind.SECRET, match.first()));
      case CONFIG_INSPECT, CONFIG_REMOVE -> Replies.error(ApiError.notFound(ObjectKind.CONFIG, match.first()));
      default -> throw new IllegalStateException(match.route() + " is no route of ours");
    };
  }

  private static Reply emptyList(Request request) throws MalformedRequest {
    return Replies.of(
        Replies.filters(request),
            filters -> Filters.checkObjectFilters(filters).map(Replies::error).orElseGet(() -> Replies.list(List.of())));
  }

  private Reply merged(Route.Match match, Request request, String prefix) throws IOException, MalformedRequest, InterruptedException {
    if (match.route() == Route.VERSION) {
      return engineRoutes.version(prefix, spoken());
    }
    if (match.route() == Route.INFO) {
      return engineRoutes.info(prefix);
    }
    ClusterState state = host.view().fresh(Commits.LIMIT);
    return switch (match.route()) {
      case EVENTS -> events.events(request, prefix);
      case DISTRIBUTION -> engineRoutes.distribution(request, match.first(), prefix);
      case NETWORK_LIST -> networks.list(state, request, prefix);
      case NETWORK_CREATE -> networks.create(state, request);
      case NETWORK_PRUNE, CONTAINER_PRUNE -> engineRoutes.prune(request);
      case NETWORK_INSPECT -> networks.inspect(state, request, match.first(), prefix);
      case NETWORK_REMOVE -> networks.remove(state, request, match.first(), prefix);
      case NETWORK_CONNECT, NETWORK_DISCONNECT -> networks.attach(state, request, match.first(), prefix);
      case CONTAINER_CREATE -> engineRoutes.createContainer(state, request, prefix);
      default -> throw new IllegalStateException(match.route() + " is no merged route");
    };
  }
}
