package dev.skep.runtime.election;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lease on which this process's leader rows hang, made anew whenever it is lost. A process that was stopped for longer
 * than the lease lasts counts it as lost, whatever the store's client believes.
 */
public final class ProcessLease implements Runnable, AutoCloseable {
  public static final Duration LIFE = Duration.ofSeconds(3);

  private static final Logger LOG = LoggerFactory.getLogger(ProcessLease.class);
  private static final Duration LOOK = Duration.ofMillis(200);

  private final Store store;
  private final Duration life;
  private final Runnable changed;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ending = lock.newCondition();
  private volatile Held held;
  private boolean closed; // guarded by the lock
  private String complaint = "";

  private record Held(Store.Lease lease, long seen) {}

  /** @param changed runs when there is another lease, or none any more; must not block */
  public ProcessLease(Store store, Duration life, Runnable changed) {
    this.store = store;
    this.life = life;
    this.changed = changed;
  }

  /** Empty while there is none. */
  public OptionalLong id() {
    Held now = held;
    return now != null && fresh(now) ? OptionalLong.of(now.lease.id()) : OptionalLong.empty();
  }

  private boolean fresh(Held one) {
    return System.nanoTime() - one.seen < life.toNanos();
  }

  /** Keeps one until closed. */
  @Override
  public void run() {
    try {
      while (!isClosed()) {
        look();
        pause();
      }
    } catch (InterruptedException e) {
      LOG.debug("the process ends");
    }
  }

  private void look() {
    long began = System.nanoTime();
    Held now = held;
    if (now != null && fresh(now) && now.lease.alive()) {
      held = new Held(now.lease, began);
      return;
    }
    if (now != null) {
      LOG.warn("this process lost its lease and holds no loop until it has won anew");
      held = null;
      changed.run();
      end(now.lease);
    }
    try {
      Store.Lease fresh = store.lease(life);
      held = new Held(fresh, began);
      complaint = "";
      changed.run();
    } catch (StoreException e) {
      if (!String.valueOf(e.getMessage()).equals(complaint)) {
        complaint = String.valueOf(e.getMessage());
        LOG.warn("no lease from the store; tried again: {}", complaint);
      }
    }
  }

  /** Its rows vanish: the others need not wait. */
  private static void end(Store.Lease lease) {
    try {
      lease.close();
    } catch (StoreException e) {
      LOG.debug("a lease runs out by itself: {}", e.getMessage());
    }
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  private void pause() throws InterruptedException {
    lock.lock();
    try {
      if (!closed) {
        ending.await(LOOK.toNanos(), TimeUnit.NANOSECONDS);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Gives it back: its rows vanish at once. The loops must have ended. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      ending.signalAll();
    } finally {
      lock.unlock();
    }
    Held now = held;
    held = null;
    if (now != null) {
      end(now.lease);
    }
  }
}
