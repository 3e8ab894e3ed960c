package dev.skep.agent.shell;

import dev.skep.runtime.Host;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** Blocking work of which at most so many pieces run at a time. Used on the agent's thread only. */
final class Lane {
  private final Host host;
  private final Executor agent;
  private final String name;
  private final int width;
  private final Deque<Runnable> waiting = new ArrayDeque<>();
  private final Set<CountDownLatch> active = new HashSet<>();
  private boolean ended;

  Lane(Host host, Executor agent, String name, int width) {
    this.host = host;
    this.agent = agent;
    this.name = name;
    this.width = width;
  }

  void run(Runnable work) {
    waiting.add(work);
    next();
  }

  /** Before what waits: it completes what was begun, so that the first of many is done early. */
  void first(Runnable work) {
    waiting.addFirst(work);
    next();
  }

  private void next() {
    while (!ended && active.size() < width && !waiting.isEmpty()) {
      Runnable work = waiting.poll();
      CountDownLatch done = new CountDownLatch(1);
      active.add(done);
      host.blocking(
          name,
          () -> {
            try {
              work.run();
            } finally {
              done.countDown();
              agent.execute(() -> left(done));
            }
          });
    }
  }

  private void left(CountDownLatch done) {
    active.remove(done);
    next();
  }

  /** Begins nothing more, and waits a while for what is under way. That may not wait for the agent's thread. */
  void end(Duration longest) {
    ended = true;
    waiting.clear();
    long deadline = System.nanoTime() + longest.toNanos();
    try {
      for (CountDownLatch done : active) {
        done.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
