package dev.skep.dispatcher.shell;

import dev.skep.certificates.v1.AdmissionGrpc;
import dev.skep.certificates.v1.KeysReply;
import dev.skep.certificates.v1.KeysRequest;
import dev.skep.runtime.Host;
import dev.skep.runtime.grpc.Callers;
import dev.skep.runtime.identity.Caller;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The cluster's keys where control-api is a process of its own: other hosts reach only the dispatcher, which knows by
 * their certificate who asks. Handlers run on virtual threads and may wait.
 */
final class KeysRpc extends AdmissionGrpc.AdmissionImplBase {
  private static final Duration CALL = Duration.ofSeconds(20); // it makes users

  private final Host host;

  KeysRpc(Host host) {
    this.host = host;
  }

  /** The table of RPCs lets nobody in but managers. */
  @Override
  public void keys(KeysRequest request, StreamObserver<KeysReply> reply) {
    if (!(Callers.current().orElse(null) instanceof Caller.Node node)) {
      reply.onError(Status.PERMISSION_DENIED.withDescription("only managers have the cluster's keys").asRuntimeException());
      return;
    }
    try {
      reply.onNext(AdmissionGrpc.newBlockingStub(host.channel("control-api")).withDeadlineAfter(CALL.toMillis(), TimeUnit.MILLISECONDS)
          .keys(KeysRequest.newBuilder().setNodeId(node.nodeId()).build()));
      reply.onCompleted();
    } catch (StatusRuntimeException e) {
      reply.onError(e.getStatus().asRuntimeException());
    }
  }
}
