package dev.skep.runtime;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Whether this node's session with its cluster is open, and what is in its way. */
public final class SessionState {
  /** @param problem why it is not open; empty when it is, and before it was tried */
  public record Now(boolean open, String problem) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private Now now = new Now(false, "");

  public Now now() {
    lock.lock();
    try {
      return now;
    } finally {
      lock.unlock();
    }
  }

  /** The session is open. */
  public void opened() {
    set(new Now(true, ""));
  }

  public void lost(String problem) {
    set(new Now(false, problem));
  }

  /** This host belongs to no cluster. */
  public void none() {
    set(new Now(false, ""));
  }

  private void set(Now next) {
    lock.lock();
    try {
      now = next;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Blocks until it is open, or the time is over. */
  public boolean awaitOpen(Duration limit) throws InterruptedException {
    long left = limit.toNanos();
    lock.lockInterruptibly();
    try {
      while (!now.open() && left > 0) {
        left = changed.awaitNanos(left);
      }
      return now.open();
    } finally {
      lock.unlock();
    }
  }
}
