package dev.skep.runtime.host;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All threads of a host. What a thread throws is our own failure: it ends the process, unless the host is stopping. */
final class HostThreads implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HostThreads.class);
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final BiConsumer<String, Throwable> fatal;
  private final Set<Thread> alive = ConcurrentHashMap.newKeySet();
  private final Executor calls;
  private volatile boolean stopping;
  private ScheduledThreadPoolExecutor timer; // made when first needed; guarded by this

  HostThreads(BiConsumer<String, Throwable> fatal) {
    this.fatal = fatal;
    this.calls = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("call-", 0).factory());
  }

  /** Virtual threads for RPC handlers and callbacks. */
  Executor calls() {
    return calls;
  }

  Thread platform(String name, Runnable body) {
    return started(Thread.ofPlatform().daemon().name(name).unstarted(guarded(name, body)));
  }

  Thread virtual(String name, Runnable body) {
    return started(Thread.ofVirtual().name(name).unstarted(guarded(name, body)));
  }

  private Thread started(Thread thread) {
    alive.add(thread);
    thread.start();
    return thread;
  }

  private Runnable guarded(String name, Runnable body) {
    return () -> {
      try {
        body.run();
      } catch (Throwable e) {
        failed("thread " + name, e);
      } finally {
        alive.remove(Thread.currentThread());
      }
    };
  }

  private void failed(String what, Throwable cause) {
    if (stopping) {
      LOG.info("{} ended while the process stops: {}", what, cause.toString());
    } else {
      fatal.accept(what, cause);
    }
  }

  AutoCloseable after(Duration delay, Runnable body) {
    ScheduledFuture<?> waiting = timer().schedule(() -> {
      try {
        body.run();
      } catch (Throwable e) {
        failed("a timer", e);
      }
    }, delay.toNanos(), TimeUnit.NANOSECONDS);
    return () -> waiting.cancel(false);
  }

  private synchronized ScheduledThreadPoolExecutor timer() {
    if (timer == null) {
      // What is asked for after the end is treated as what still waits at the end: it does not run.
      var discard = new ThreadPoolExecutor.DiscardPolicy();
      timer = new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("timer").factory(), discard);
      timer.setRemoveOnCancelPolicy(true);
      timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
      if (stopping) {
        timer.shutdown();
      }
    }
    return timer;
  }

  void stopping() {
    stopping = true;
  }

  /** Interrupts what components left running, and waits a little for it. */
  @Override
  public void close() {
    stopping = true;
    synchronized (this) {
      if (timer != null) {
        timer.shutdown();
      }
    }
    alive.forEach(Thread::interrupt);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    try {
      for (Thread thread : alive) {
        if (!thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())))) {
          LOG.warn("thread {} does not end", thread.getName());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
