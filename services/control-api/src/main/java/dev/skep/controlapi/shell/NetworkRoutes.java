package dev.skep.controlapi.shell;

import dev.skep.api.v1.CreatedNetwork;
import dev.skep.api.v1.Network;
import dev.skep.api.v1.NetworkCreateRequest;
import dev.skep.controlapi.codec.DockerJson;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.Filters;
import dev.skep.controlapi.core.NetworkDetail;
import dev.skep.controlapi.core.NetworkWrites;
import dev.skep.controlapi.core.NotBuilt;
import dev.skep.controlapi.core.ObjectKind;
import dev.skep.controlapi.core.References;
import dev.skep.controlapi.shell.engine.Engine;
import dev.skep.controlapi.shell.engine.EngineJson;
import dev.skep.controlapi.shell.engine.EngineReply;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.view.NetworkView;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The routes below /networks: overlay networks are ours, all others the engine's, and users see one list. */
final class NetworkRoutes {
  private static final Duration ENGINE_LIMIT = Duration.ofSeconds(20);

  private final Host host;
  private final Cluster cluster;
  private final Commits commits;
  private final Engine engine;
  private final WorkerNetworks onWorker;

  NetworkRoutes(Host host, Cluster cluster, Commits commits, Engine engine) {
    this.host = host;
    this.cluster = cluster;
    this.commits = commits;
    this.engine = engine;
    this.onWorker = new WorkerNetworks(engine);
  }

  Reply list(ClusterState state, Request request, String version) throws IOException, MalformedRequest {
    List<Network> known =
        switch (cluster.standing(state)) {
          case Standing.Outside _ -> List.of();
          case Standing.Worker worker -> request.local() ? onWorker.all(worker.identity().clusterId(), version) : List.of();
          case Standing.Managing _ -> NetworkView.all(state);
        };
    Answer<List<Network>> ours = Replies.filters(request).then(filters -> Filters.networks(state, filters, known));
    if (ours instanceof Answer.Refused<List<Network>>(ApiError error)) {
      return Replies.error(error);
    }
    List<Object> all = new ArrayList<>();
    if (request.local()) {
      EngineReply theirs = engine.get(version + "/networks" + query(request), ENGINE_LIMIT);
      if (!theirs.ok()) {
        return new Reply.Whole(theirs.status(), Reply.JSON, theirs.body(), Map.of());
      }
      for (Object network : EngineJson.list(EngineJson.parse(theirs.body()))) {
        if (Backing.overlayOf(network).isEmpty()) {
          all.add(network);
        }
      }
    }
    for (Network network : ((Answer.Ok<List<Network>>) ours).value()) {
      all.add(EngineJson.ready(DockerJson.write(network)));
    }
    return new Reply.Whole(200, Reply.JSON, EngineJson.write(all), Map.of());
  }

  Reply inspect(ClusterState state, Request request, String reference, String version) throws IOException, MalformedRequest {
    String scope = request.query("scope");
    Optional<Network> here = scope.equals("local") ? Optional.empty() : workers(state, request, reference, version);
    if (here.isPresent()) {
      return show(here.get(), request, version);
    }
    Optional<String> exact = scope.equals("local") ? Optional.empty() : exact(state, reference);
    if (exact.isEmpty() && request.local() && !scope.equals("swarm")) {
      EngineReply theirs = engine.get(version + "/networks/" + encoded(reference) + query(request), ENGINE_LIMIT);
      if (theirs.ok()) {
        Optional<String> overlay = Backing.overlayOf(EngineJson.parse(theirs.body())).filter(id -> state.has(Rows.NETWORK.key(id)));
        return overlay.isPresent() ? show(state, overlay.get(), request, version) : relayed(theirs);
      }
      if (theirs.status() != 404) {
        return relayed(theirs);
      }
    }
    if (exact.isPresent()) {
      return show(state, exact.get(), request, version);
    }
    Optional<ApiError> predefined = scope.equals("swarm") ? NotBuilt.predefinedNetwork(reference) : Optional.empty();
    if (predefined.isPresent()) {
      return Replies.error(predefined.get());
    }
    Answer<String> found = scope.equals("local") || !member(state) ? notFound(reference) : References.network(state, reference);
    return switch (found) {
      case Answer.Ok<String>(String id) -> show(state, id, request, version);
      case Answer.Refused<String>(ApiError error) -> Replies.error(error);
    };
  }

  private Reply show(ClusterState state, String id, Request request, String version) throws IOException, MalformedRequest {
    Network network = NetworkView.of(state, id).orElseThrow();
    return show(request.flag("verbose") ? NetworkDetail.verbose(state, network) : network, request, version);
  }

  private Reply show(Network network, Request request, String version) throws IOException {
    Map<String, Object> shown = EngineJson.object(EngineJson.parse(DockerJson.write(network)));
    if (request.local()) {
      EngineReply backing = engine.get(version + "/networks/" + Backing.engineName(network.getId()), ENGINE_LIMIT);
      if (backing.ok()) {
        shown.replace("Containers", EngineJson.object(EngineJson.object(EngineJson.parse(backing.body())).get("Containers")));
      }
    }
    return new Reply.Whole(200, Reply.JSON, EngineJson.write(shown), Map.of());
  }

  Reply create(ClusterState state, Request request) throws IOException, MalformedRequest, InterruptedException {
    Answer<NetworkCreateRequest> body = Replies.body(request, NetworkCreateRequest.getDefaultInstance(), "types.NetworkCreateRequest");
    if (body instanceof Answer.Refused<NetworkCreateRequest>(ApiError error)) {
      return Replies.error(error);
    }
    NetworkCreateRequest asked = ((Answer.Ok<NetworkCreateRequest>) body).value();
    if (!NetworkWrites.ours(asked)) {
      boolean taken = member(state) && References.network(state, asked.getName()) instanceof Answer.Ok<String>(String id)
          && !id.equals(asked.getName())
          && NetworkView.of(state, id).orElseThrow().getName().equals(asked.getName());
      return taken ? Replies.error(ApiError.networkNameTaken(asked.getName())) : new Reply.Passed(request.head().target(), request.body());
    }
    switch (cluster.standing(state)) {
      case Standing.Outside _ -> {
        return Replies.error(ApiError.noOverlayOutsideSwarm());
      }
      case Standing.Worker _ -> {
        return Replies.error(ApiError.noOverlayFromWorker());
      }
      case Standing.Managing _ -> {
        return createOverlay(request, asked);
      }
    }
  }

  private Reply createOverlay(Request request, NetworkCreateRequest asked) throws IOException {
    if (request.local() && engine.get("/networks/" + encoded(asked.getName()), ENGINE_LIMIT) instanceof EngineReply theirs
        && exactly(theirs, asked.getName())) {
      return Replies.error(ApiError.networkNameTaken(asked.getName()));
    }
    String id = host.ids().next();
    Answer<String> created = commits.write((now, tick) -> NetworkWrites.create(now, id, asked, tick));
    return Replies.of(created, made -> Replies.message(201, CreatedNetwork.newBuilder().setId(made).build()));
  }

  private static boolean exactly(EngineReply reply, String name) throws IOException {
    return reply.ok() && EngineJson.text(EngineJson.object(EngineJson.parse(reply.body())).get("Name")).equals(name);
  }

  Reply remove(ClusterState state, Request request, String reference, String version) throws IOException {
    Optional<String> ours = find(state, request, reference, version);
    if (ours.isEmpty()) {
      if (NetworkWrites.predefined(reference)) {
        return Replies.error(ApiError.predefinedNetwork(reference));
      }
      return request.local() ? new Reply.Passed(request.head().target(), null)
          : Replies.error(ApiError.notFound(ObjectKind.NETWORK, reference));
    }
    if (!member(state)) {
      return Replies.error(ApiError.onWorker());
    }
    Answer<String> removed = commits.write((now, _) -> NetworkWrites.remove(now, ours.get()));
    return Replies.of(removed, _ -> Reply.empty(204));
  }

  /** Connect and disconnect: ours are refused before the engine could give an address away. */
  Reply attach(ClusterState state, Request request, String reference, String version) throws IOException {
    return find(state, request, reference, version).isPresent() ? Replies.error(attaching())
        : new Reply.Passed(request.head().target(), null);
  }

  static ApiError attaching() {
    return NotBuilt.command("attaching containers to overlay networks", "run the container as a service");
  }

  /**
   * The overlay that is meant: by its own id or name, by the name or id of the network that carries it on this engine, or,
   * when the engine knows no such network, by the beginning of its id.
   */
  Optional<String> find(ClusterState state, Request request, String reference, String version) throws IOException {
    if (!member(state)) {
      return workers(state, request, reference, version).map(Network::getId);
    }
    Optional<String> exact = exact(state, reference);
    if (exact.isPresent()) {
      return exact;
    }
    if (request.local()) {
      EngineReply theirs = engine.get(version + "/networks/" + encoded(reference), ENGINE_LIMIT);
      if (theirs.ok()) {
        return Backing.overlayOf(EngineJson.parse(theirs.body()));
      }
    }
    return References.network(state, reference) instanceof Answer.Ok<String>(String id) ? Optional.of(id) : Optional.empty();
  }

  /** The overlay on this worker's engine; empty on any other host. */
  private Optional<Network> workers(ClusterState state, Request request, String reference, String version) throws IOException {
    return request.local() && cluster.standing(state) instanceof Standing.Worker(Membership.Identity identity)
        ? onWorker.find(identity.clusterId(), reference, version) : Optional.empty();
  }

  private Optional<String> exact(ClusterState state, String reference) {
    if (!member(state) || !(References.network(state, reference) instanceof Answer.Ok<String>(String id))) {
      return Optional.empty();
    }
    boolean whole = id.equals(reference) || NetworkView.of(state, id).orElseThrow().getName().equals(reference);
    return whole ? Optional.of(id) : Optional.empty();
  }

  private boolean member(ClusterState state) {
    return cluster.member(state).isPresent();
  }

  private static Answer<String> notFound(String reference) {
    return Answer.refused(ApiError.notFound(ObjectKind.NETWORK, reference));
  }

  private static Reply relayed(EngineReply reply) {
    return new Reply.Whole(reply.status(), Reply.JSON, reply.body(), Map.of());
  }

  static String query(Request request) {
    return request.rawQuery().isEmpty() ? "" : "?" + request.rawQuery();
  }

  static String encoded(String segment) {
    return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
