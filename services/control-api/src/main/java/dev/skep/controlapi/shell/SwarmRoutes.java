package dev.skep.controlapi.shell;

import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.JoinRequest;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.controlapi.codec.DockerJson;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.ClusterWrites;
import dev.skep.controlapi.core.Versions;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.state.ClusterState;
import dev.skep.state.view.SwarmView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The routes below /swarm. */
final class SwarmRoutes {
  private final Cluster cluster;
  private final Commits commits;
  private final RootRotator rotator;

  SwarmRoutes(Cluster cluster, Commits commits, RootRotator rotator) {
    this.cluster = cluster;
    this.commits = commits;
    this.rotator = rotator;
  }

  Reply init(Request request) throws IOException, MalformedRequest, InterruptedException {
    Answer<String> node = Replies.body(request, InitRequest.getDefaultInstance(), "InitRequest").then(init -> cluster.init(init, false));
    return Replies.of(node, id -> new Reply.Whole(200, Reply.JSON, DockerJson.writeString(id), Map.of()));
  }

  Reply join(Request request) throws IOException, MalformedRequest, InterruptedException {
    Answer<String> joined = Replies.body(request, JoinRequest.getDefaultInstance(), "JoinRequest").then(cluster::join);
    return Replies.of(joined, _ -> Reply.empty(200));
  }

  Reply leave(Request request) throws MalformedRequest {
    return cluster.leave(request.flag("force")).map(Replies::error).orElseGet(() -> Reply.empty(200));
  }

  Reply inspect(ClusterState state) {
    return SwarmView.withTokens(state, cluster.joinToken(state, NodeRole.WORKER), cluster.joinToken(state, NodeRole.MANAGER))
        .map(swarm -> Replies.message(200, swarm))
        .orElseGet(() -> Replies.error(ApiError.notInSwarm()));
  }

  Reply update(Request request) throws IOException, MalformedRequest, InterruptedException {
    List<NodeRole> rotated = new ArrayList<>();
    if (request.flag("rotateWorkerToken")) {
      rotated.add(NodeRole.WORKER);
    }
    if (request.flag("rotateManagerToken")) {
      rotated.add(NodeRole.MANAGER);
    }
    Answer<Long> version = Versions.parse("swarm", request.query("version"));
    Answer<SwarmSpec> spec = Replies.body(request, SwarmSpec.getDefaultInstance(), "Spec");
    Answer<String> updated =
        spec.then(
            asked ->
                version.then(
                    number ->
                        commits.write((state, tick) -> ClusterWrites.update(state, number, asked, cluster.freshTokens(state, rotated),
                            rotator.next(state, asked), tick))));
    return Replies.of(updated, _ -> Reply.empty(200));
  }

  Reply unlockKey() {
    return Reply.json(200, "{\"UnlockKey\":\"\"}");
  }

  Reply unlock() {
    return Replies.error(ApiError.plain(ApiError.Code.ALREADY_EXISTS, "swarm is not locked"));
  }
}
