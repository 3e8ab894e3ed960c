package dev.skep.controlapi.shell;

import dev.skep.api.v1.NodeSpec;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.Filters;
import dev.skep.controlapi.core.NodeWrites;
import dev.skep.controlapi.core.References;
import dev.skep.controlapi.core.Versions;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import dev.skep.state.ClusterState;
import dev.skep.state.view.NodeView;
import java.io.IOException;

/** The routes below /nodes. */
final class NodeRoutes {
  private final Commits commits;
  private final boolean shared;

  /** @param shared several managers can use the cluster's store */
  NodeRoutes(Commits commits, boolean shared) {
    this.commits = commits;
    this.shared = shared;
  }

  Reply list(ClusterState state, Request request) throws MalformedRequest {
    return Replies.of(Replies.filters(request).then(filters -> Filters.nodes(filters, NodeView.all(state))), Replies::list);
  }

  Reply inspect(ClusterState state, String reference) {
    return Replies.of(References.node(state, reference), id -> Replies.message(200, NodeView.of(state, id).orElseThrow()));
  }

  Reply update(Request request, String reference) throws IOException, MalformedRequest, InterruptedException {
    Answer<Long> version = Versions.parse("node", request.query("version"));
    Answer<NodeSpec> spec = Replies.body(request, NodeSpec.getDefaultInstance(), "NodeSpec");
    Answer<String> updated =
        spec.then(
            asked ->
                version.then(
                    number ->
                        commits.write(
                            (state, tick) -> References.node(state, reference)
                                .then(id -> NodeWrites.update(state, id, number, asked, shared, tick)))));
    return Replies.of(updated, _ -> Reply.empty(200));
  }

  Reply remove(Request request, String reference) throws MalformedRequest {
    boolean force = request.flag("force");
    Answer<String> removed =
        commits.write((state, _) -> References.node(state, reference).then(id -> NodeWrites.remove(state, id, force)));
    return Replies.of(removed, _ -> Reply.empty(200));
  }
}
