package dev.skep.dispatcher.shell;

import dev.skep.backend.StoreException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CompletionException;

/** What a caller is told of a failure. */
final class Failures {
  private Failures() {}

  /** A store that does not answer is a reason to come back. Anything unknown is our own failure: it goes on as it is. */
  static Status status(RuntimeException failure) {
    return switch (failure) {
      case StatusRuntimeException known -> known.getStatus();
      case StoreException store -> Status.UNAVAILABLE.withDescription(store.told()).withCause(store);
      case CompletionException wrapped when wrapped.getCause() instanceof RuntimeException cause -> status(cause);
      default -> throw failure;
    };
  }
}
