package dev.skep.agent.shell;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;

/** The agent's thread: everything that the agent knows is read and changed by what is put here, one after the other. */
final class Mailbox implements Executor, Runnable {
  private static final int CAPACITY = 1 << 20;
  private final BlockingQueue<Runnable> waiting = new LinkedBlockingQueue<>(CAPACITY);
  private volatile boolean closed;

  @Override
  public void execute(Runnable work) {
    if (!closed && !waiting.offer(work)) {
      throw new IllegalStateException("more than " + CAPACITY + " things wait for the agent");
    }
  }

  @Override
  public void run() {
    try {
      while (!closed) {
        waiting.take().run();
      }
    } catch (InterruptedException e) {
      // The host ends its threads this way.
    }
  }

  /** What still waits is dropped. */
  void close() {
    closed = true;
    waiting.offer(() -> {});
  }
}
