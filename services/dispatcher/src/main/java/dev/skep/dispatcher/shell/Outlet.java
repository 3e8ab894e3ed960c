package dev.skep.dispatcher.shell;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;

/**
 * The sending end of one server stream, used by the dispatcher's thread only. Messages are made when the receiver has
 * room, from the newest state: a slow receiver gets fewer and larger ones, and nothing piles up.
 */
final class Outlet<T> {
  private final ServerCallStreamObserver<T> observer;
  private boolean ended;

  Outlet(ServerCallStreamObserver<T> observer) {
    this.observer = observer;
  }

  boolean ready() {
    return !ended && !observer.isCancelled() && observer.isReady();
  }

  void send(T message) {
    observer.onNext(message);
  }

  void fail(Status status) {
    if (!ended && !observer.isCancelled()) {
      observer.onError(status.asRuntimeException());
    }
    ended = true;
  }
}
