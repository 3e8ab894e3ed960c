package dev.skep.runtime.host;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Threads of a command that runs without a host: a virtual one for each piece of work. Closing waits for all of them. */
public final class CommandThreads implements Executor, AutoCloseable {
  private final ExecutorService pieces = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("command-", 0).factory());

  @Override
  public void execute(Runnable piece) {
    pieces.execute(piece);
  }

  /** A daemon thread, as a store wants them: nobody waits for it. */
  public Thread start(String name, Runnable body) {
    return Thread.ofPlatform().daemon().name(name).start(body);
  }

  @Override
  public void close() {
    pieces.close();
  }
}
