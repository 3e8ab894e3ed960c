package dev.skep.agent.shell;

import dev.skep.runtime.Host;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;

/** Blocking work of which at most so many pieces run at a time. Used on the agent's thread only. */
final class Lane {
  private final Host host;
  private final Executor agent;
  private final String name;
  private final int width;
  private final Deque<Runnable> waiting = new ArrayDeque<>();
  private int running;

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
    while (running < width && !waiting.isEmpty()) {
      Runnable work = waiting.poll();
      running++;
      host.blocking(
          name,
          () -> {
            try {
              work.run();
            } finally {
              agent.execute(this::left);
            }
          });
    }
  }

  private void left() {
    running--;
    next();
  }
}
