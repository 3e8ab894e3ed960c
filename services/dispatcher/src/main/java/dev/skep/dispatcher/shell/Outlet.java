package dev.skep.dispatcher.shell;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.RejectedExecutionException;

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

  boolean over() {
    return ended || observer.isCancelled();
  }

  void send(T message) {
    unlessTheDoorIsShut(() -> observer.onNext(message));
  }

  void fail(Status status) {
    if (!over()) {
      unlessTheDoorIsShut(() -> observer.onError(status.asRuntimeException()));
    }
    ended = true;
  }

  /** A door that shuts ends its threads, and tells each call a moment later that it is cancelled. */
  private void unlessTheDoorIsShut(Runnable tell) {
    try {
      tell.run();
    } catch (RejectedExecutionException e) {
      ended = true;
    }
  }
}
