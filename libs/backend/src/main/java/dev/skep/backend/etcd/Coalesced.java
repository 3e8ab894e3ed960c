package dev.skep.backend.etcd;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * One question for all who ask it at the same time. Nobody gets the answer to a question that was put before their own:
 * that answer may not know of what they know.
 */
final class Coalesced<T> {
  private final Supplier<T> question;
  private final ReentrantLock asking = new ReentrantLock();
  private CompletableFuture<T> next; // a question that was not put yet; guarded by this

  /** @param question must end by itself, soon */
  Coalesced(Supplier<T> question) {
    this.question = question;
  }

  T get() {
    CompletableFuture<T> mine;
    boolean first;
    synchronized (this) {
      first = next == null;
      if (first) {
        next = new CompletableFuture<>();
      }
      mine = next;
    }
    if (first) {
      ask(mine);
    }
    try {
      return mine.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException why ? why : e;
    }
  }

  private void ask(CompletableFuture<T> mine) {
    asking.lock();
    try {
      synchronized (this) {
        next = null; // from here on it is too late to join
      }
      mine.complete(question.get());
    } catch (Throwable e) {
      mine.completeExceptionally(e);
    } finally {
      asking.unlock();
    }
  }
}
