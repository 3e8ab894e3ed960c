package dev.skep.runtime.view;

import dev.skep.backend.StoreException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * The store's revision, read once for all who ask at the same time. Nobody gets an answer to a question that was asked
 * before their own: that answer may not know of a write that they know of.
 */
final class FreshRevision {
  private final LongSupplier read;
  private final ReentrantLock joining = new ReentrantLock();
  private final ReentrantLock reading = new ReentrantLock();
  private CompletableFuture<Long> waiting; // a read that has not begun; guarded by joining

  FreshRevision(LongSupplier read) {
    this.read = read;
  }

  long get(Duration timeout) {
    CompletableFuture<Long> mine;
    boolean lead = false;
    joining.lock();
    try {
      if (waiting == null) {
        waiting = new CompletableFuture<>();
        lead = true;
      }
      mine = waiting;
    } finally {
      joining.unlock();
    }
    return lead ? lead(mine) : await(mine, timeout);
  }

  private long lead(CompletableFuture<Long> mine) {
    reading.lock();
    try {
      joining.lock();
      try {
        waiting = null; // from here on it has begun
      } finally {
        joining.unlock();
      }
      long revision = read.getAsLong();
      mine.complete(revision);
      return revision;
    } catch (RuntimeException e) {
      mine.completeExceptionally(e);
      throw e;
    } finally {
      reading.unlock();
    }
  }

  private static long await(CompletableFuture<Long> read, Duration timeout) {
    try {
      return read.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new StoreException("the store did not tell its revision within " + timeout.toMillis() + " ms", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while asking the store for its revision", e);
    } catch (ExecutionException e) {
      throw new StoreException("the store did not tell its revision: " + e.getCause().getMessage(), e.getCause());
    }
  }
}
