package dev.skep.controlapi.shell;

import dev.skep.api.v1.CreatedObject;
import dev.skep.api.v1.Service;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.ServiceUpdated;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.Filters;
import dev.skep.controlapi.core.NotBuilt;
import dev.skep.controlapi.core.References;
import dev.skep.controlapi.core.ServiceWrites;
import dev.skep.controlapi.core.Versions;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import dev.skep.runtime.Host;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.v1.SealedRow;
import dev.skep.state.view.ServiceView;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The routes below /services, but for logs. */
final class ServiceRoutes {
  private static final String NO_LOGIN = "e30="; // {} in base64: what the CLI sends for a registry it has no login for

  private final Host host;
  private final Cluster cluster;
  private final Commits commits;

  ServiceRoutes(Host host, Cluster cluster, Commits commits) {
    this.host = host;
    this.cluster = cluster;
    this.commits = commits;
  }

  Reply list(ClusterState state, Request request) throws MalformedRequest {
    List<Service> all = request.flag("status") ? ServiceView.allWithStatus(state) : ServiceView.all(state);
    return Replies.of(Replies.filters(request).then(filters -> Filters.services(filters, all)), Replies::list);
  }

  Reply inspect(ClusterState state, Request request, String reference) throws MalformedRequest {
    boolean defaults = request.flag("insertDefaults");
    return Replies.of(
        References.service(state, reference),
        id -> Replies.message(200, (defaults ? ServiceView.withDefaults(state, id) : ServiceView.of(state, id)).orElseThrow()));
  }

  Reply create(Request request) throws IOException, MalformedRequest, InterruptedException {
    String id = host.ids().next();
    Optional<ServiceWrites.SealedAuth> auth = auth(request, id);
    Answer<String> created =
        Replies.body(request, ServiceSpec.getDefaultInstance(), "ServiceSpec")
            .then(spec -> commits.write((state, tick) -> ServiceWrites.create(state, id, spec, auth, tick)));
    return Replies.of(created, made -> Replies.message(201, CreatedObject.newBuilder().setId(made).build()));
  }

  Reply update(ClusterState now, Request request, String reference) throws IOException, MalformedRequest, InterruptedException {
    Answer<ServiceSpec> spec = Replies.body(request, ServiceSpec.getDefaultInstance(), "ServiceSpec");
    Answer<Long> version = Versions.parse("service", request.query("version"));
    Optional<ApiError> refusal = refusal(request);
    Answer<String> updated =
        spec.then(
            asked ->
                version.then(
                    number ->
                        refusal.isPresent()
                            ? Answer.<String>refused(refusal.get())
                            : References.service(now, reference).then(id -> update(id, number, asked, auth(request, id)))));
    return Replies.of(updated, _ -> Replies.message(200, ServiceUpdated.getDefaultInstance()));
  }

  private Answer<String> update(String id, long version, ServiceSpec spec, Optional<ServiceWrites.SealedAuth> auth) {
    return commits.write((state, tick) -> ServiceWrites.update(state, id, version, spec, auth, tick));
  }

  private static Optional<ApiError> refusal(Request request) throws MalformedRequest {
    switch (request.query("registryAuthFrom")) {
      case "", "spec", "previous-spec" -> {}
      default -> {
        return Optional.of(ApiError.unsupportedRegistryAuthFrom());
      }
    }
    return switch (request.query("rollback")) {
      case "" -> Optional.empty();
      case "previous" -> Optional.of(NotBuilt.command("docker service rollback", "update the service to the spec it had before"));
      default -> Optional.of(ApiError.unrecognizedRollback(request.query("rollback")));
    };
  }

  Reply remove(String reference) {
    Answer<String> removed =
        commits.write((state, _) -> References.service(state, reference)
            .then(id -> ServiceWrites.remove(state, id, SealedRows.registryAuth(id))));
    return Replies.of(removed, _ -> Reply.empty(200));
  }

  /** Kept with the service for the agents' pulls; no route ever returns it. */
  private Optional<ServiceWrites.SealedAuth> auth(Request request, String id) {
    String sent = request.head().header("X-Registry-Auth").orElse("").strip();
    if (sent.isEmpty() || sent.equals(NO_LOGIN) || host.membership().current().isEmpty()) {
      return Optional.empty();
    }
    Key<SealedRow> row = SealedRows.registryAuth(id);
    return Optional.of(new ServiceWrites.SealedAuth(row, cluster.seal(row, sent)));
  }
}
