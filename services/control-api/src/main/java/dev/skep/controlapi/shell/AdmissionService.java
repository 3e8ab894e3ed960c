package dev.skep.controlapi.shell;

import dev.skep.backend.StoreException;
import dev.skep.certificates.v1.AdmissionGrpc;
import dev.skep.certificates.v1.AdmitReply;
import dev.skep.certificates.v1.AdmitRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.NodeWrites;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/** Writes the rows of nodes that join, for the dispatcher that let them in. */
final class AdmissionService extends AdmissionGrpc.AdmissionImplBase {
  private final Commits commits;

  AdmissionService(Commits commits) {
    this.commits = commits;
  }

  @Override
  public void admit(AdmitRequest request, StreamObserver<AdmitReply> reply) {
    Answer<String> written;
    try {
      written = commits.write((state, tick) -> NodeWrites.admit(state, request, tick));
    } catch (StoreException e) {
      reply.onError(Status.UNAVAILABLE.withDescription("the store does not answer").withCause(e).asRuntimeException());
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
