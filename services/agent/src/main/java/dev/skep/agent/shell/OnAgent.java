package dev.skep.agent.shell;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Brings answers onto the agent's thread, while somebody waits for them; the end of a stream that should have none is a failure.
 */
record OnAgent<T>(Executor agent, Consumer<T> next, Consumer<Status> failed, BooleanSupplier live, boolean endless) implements StreamObserver<T> {

  private void onAgent(Runnable work) {
    agent.execute(() -> {
      if (live.getAsBoolean()) {
        work.run();
      }
    });
  }

  @Override
  public void onNext(T value) {
    onAgent(() -> next.accept(value));
  }

  @Override
  public void onError(Throwable error) {
    onAgent(() -> failed.accept(Status.fromThrowable(error)));
  }

  @Override
  public void onCompleted() {
    if (endless) {
      onAgent(() -> failed.accept(Status.UNAVAILABLE.withDescription("the manager ended the stream")));
    }
  }
}
