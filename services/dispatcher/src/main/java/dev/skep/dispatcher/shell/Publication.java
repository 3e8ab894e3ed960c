package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.PublishLogsReply;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Optional;

/**
 * Log lines coming in from one node for one subscription. A slow reader makes {@code onNext} wait, and with it the node:
 * the next batch is asked for only when it returns.
 */
final class Publication implements StreamObserver<LogBatch> {
  private final String nodeId;
  private final Desk desk;
  private final Sessions sessions;
  private final StreamObserver<PublishLogsReply> reply;
  private String subscription = "";
  private boolean over;

  Publication(String nodeId, Desk desk, Sessions sessions, StreamObserver<PublishLogsReply> reply) {
    this.nodeId = nodeId;
    this.desk = desk;
    this.sessions = sessions;
    this.reply = reply;
  }

  @Override
  public void onNext(LogBatch batch) {
    if (over) {
      return;
    }
    if (!subscription.isEmpty() && !subscription.equals(batch.getSubscriptionId())) {
      refuse(Status.INVALID_ARGUMENT.withDescription("one stream carries the lines of one subscription"));
      return;
    }
    subscription = batch.getSubscriptionId();
    Optional<LogDesk.Open> open = sessions.logs().find(subscription);
    if (open.isEmpty()) {
      refuse(Status.CANCELLED.withDescription("nobody reads these logs any more"));
      return;
    }
    if (!open.get().accepts(nodeId, batch)) {
      refuse(Status.PERMISSION_DENIED.withDescription("these are not the lines that the node was asked for"));
      return;
    }
    try {
      if (batch.getLinesCount() + batch.getProblemsCount() > 0 && !open.get().reader().put(batch.toBuilder().setEnd(false).build())) {
        refuse(Status.CANCELLED.withDescription("nobody reads these logs any more"));
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      refuse(Status.UNAVAILABLE.withDescription("the dispatcher stops"));
      return;
    }
    if (batch.getEnd()) {
      over = true;
      desk.run(() -> sessions.logs().ended(subscription, nodeId, sessions.state()));
      answer();
    }
  }

  private void refuse(Status why) {
    over = true;
    reply.onError(why.asRuntimeException());
  }

  private void answer() {
    reply.onNext(PublishLogsReply.getDefaultInstance());
    reply.onCompleted();
  }

  @Override
  public void onError(Throwable failure) {
    broke();
  }

  @Override
  public void onCompleted() {
    if (!over) {
      broke();
      answer();
    }
  }

  private void broke() {
    if (!over && !subscription.isEmpty()) {
      over = true;
      desk.run(() -> sessions.logs().broke(subscription, nodeId, sessions.state()));
    }
  }
}
