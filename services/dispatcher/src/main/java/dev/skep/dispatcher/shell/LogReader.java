package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogProblem;
import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.runtime.Host;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One open log request. Nodes put batches in from their calls and wait when it is full; one virtual thread hands them to
 * the reader as fast as it takes them.
 */
final class LogReader {
  private static final LogBatch END = LogBatch.newBuilder().setEnd(true).build();
  private static final Boolean ROOM = Boolean.TRUE;

  private final String id;
  private final LogSelector selector;
  private final ServerCallStreamObserver<LogBatch> observer;
  private final BlockingQueue<LogBatch> batches;
  private final BlockingQueue<Boolean> room = new ArrayBlockingQueue<>(1);
  private volatile boolean closed;
  private volatile Status failure;

  LogReader(String id, LogSelector selector, ServerCallStreamObserver<LogBatch> observer, int capacity) {
    this.id = id;
    this.selector = selector;
    this.observer = observer;
    this.batches = new ArrayBlockingQueue<>(capacity);
  }

  String id() {
    return id;
  }

  LogSelector selector() {
    return selector;
  }

  boolean follows() {
    return selector.getOptions().getFollow();
  }

  /** From calls of nodes: waits while the reader is slow. False when it is gone. */
  boolean put(LogBatch batch) throws InterruptedException {
    boolean taken = false;
    while (!closed && !taken) {
      taken = batches.offer(batch, 1, TimeUnit.SECONDS);
    }
    return taken;
  }

  /** The reader has room again. */
  void ready() {
    room.offer(ROOM);
  }

  /** Nobody reads any more. */
  void close() {
    closed = true;
    room.offer(ROOM);
  }

  /** What was asked for cannot be had here (any more): the call fails. */
  void fail(Status why) {
    failure = why;
    close();
    batches.offer(END); // wakes whoever hands out
  }

  /** Starts handing out. */
  void start(Host host) {
    host.blocking("log-reader", this::handOut);
  }

  /** Everything has been put in; the problems come last. Does not wait. */
  void end(Host host, List<LogProblem> problems) {
    host.blocking("log-end", () -> {
      try {
        if (!problems.isEmpty()) {
          put(LogBatch.newBuilder().setSubscriptionId(id).addAllProblems(problems).build());
        }
        put(END);
      } catch (InterruptedException e) {
        closed = true; // the host stops
      }
    });
  }

  private void handOut() {
    try {
      while (!closed) {
        LogBatch batch = batches.poll(1, TimeUnit.SECONDS);
        while (batch != null && !closed && !observer.isReady()) {
          room.poll(1, TimeUnit.SECONDS);
        }
        if (batch != null && !closed) {
          observer.onNext(batch);
          if (batch.getEnd()) {
            observer.onCompleted();
            closed = true;
          }
        }
      }
      if (failure != null && !observer.isCancelled()) {
        observer.onError(failure.asRuntimeException());
      }
    } catch (InterruptedException e) {
      closed = true; // the host stops, and its calls end with it
    }
  }
}
