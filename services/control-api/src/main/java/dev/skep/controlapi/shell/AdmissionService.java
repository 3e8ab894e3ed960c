package dev.skep.controlapi.shell;

import dev.skep.backend.StoreException;
import dev.skep.certificates.v1.AdmissionGrpc;
import dev.skep.certificates.v1.AdmitReply;
import dev.skep.certificates.v1.AdmitRequest;
import dev.skep.certificates.v1.KeysReply;
import dev.skep.certificates.v1.KeysRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.NodeWrites;
import dev.skep.runtime.Host;
import dev.skep.runtime.grpc.Callers;
import dev.skep.runtime.grpc.ManagerKeys;
import dev.skep.runtime.identity.Caller;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.state.EmbeddedCluster;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes the rows of nodes that join, for the dispatcher that let them in, and gives managers what they need. */
final class AdmissionService extends AdmissionGrpc.AdmissionImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(AdmissionService.class);

  private final Host host;
  private final Commits commits;
  private final ManagerUsers users;

  AdmissionService(Host host, Commits commits, ManagerUsers users) {
    this.host = host;
    this.users = users;
    this.commits = commits;
  }

  /** The table of RPCs lets nobody in but nodes that show a manager's certificate and are managers still. */
  @Override
  public void keys(KeysRequest request, StreamObserver<KeysReply> reply) {
    if (!(Callers.current().orElse(null) instanceof Caller.Node node) || node.role() != NodeRole.MANAGER) {
      reply.onError(Status.PERMISSION_DENIED.withDescription("only managers have the cluster's keys").asRuntimeException());
    } else if (!host.storeAccess().shared()) {
      reply.onError(Status.FAILED_PRECONDITION.withDescription(EmbeddedCluster.ONE_MANAGER).asRuntimeException());
    } else {
      // One manager may name another: with the cluster's key it could act for it anyway, and users are made for managers only.
      String asking = request.getNodeId().isEmpty() ? node.nodeId() : request.getNodeId();
      LOG.info("manager {} takes the cluster's keys", asking);
      Optional<StoreAccess> access;
      try {
        access = users.access(asking);
      } catch (StoreException e) {
        LOG.warn("manager {} gets no user in store and log: {}", asking, e.getMessage());
        reply.onError(Status.UNAVAILABLE.withDescription("no user in store and log can be made: " + e.getMessage()).asRuntimeException());
        return;
      }
      access.ifPresentOrElse(own -> give(own, reply),
          () -> reply.onError(Status.PERMISSION_DENIED.withDescription("only managers have the cluster's keys").asRuntimeException()));
    }
  }

  private void give(StoreAccess access, StreamObserver<KeysReply> reply) {
    try {
      reply.onNext(ManagerKeys.of(ClusterKey.read(host.dataFolder("identity")), access));
      reply.onCompleted();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the cluster's key", e);
    }
  }

  @Override
  public void admit(AdmitRequest request, StreamObserver<AdmitReply> reply) {
    Answer<String> written;
    try {
      written = commits.write((state, tick) -> NodeWrites.admit(state, request, tick));
    } catch (StoreException e) {
      reply.onError(Status.UNAVAILABLE.withDescription(e.told()).withCause(e).asRuntimeException());
      return;
    }
    switch (written) {
      case Answer.Ok<String> _ -> {
        reply.onNext(AdmitReply.getDefaultInstance());
        reply.onCompleted();
      }
      case Answer.Refused<String>(ApiError error) ->
          reply.onError(Status.fromCodeValue(error.grpcCode().number()).withDescription(error.message()).asRuntimeException());
    }
  }
}
