package dev.skep.backend.embedded;

import dev.skep.backend.CompactedException;
import dev.skep.backend.Store;
import dev.skep.backend.Threads;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** One watch: a thread that walks through the history at the watcher's own pace. */
final class Cursor implements Store.Watch {
  /** Receives every revision, also those that change nothing under the watched prefix. */
  interface Walker {
    void at(Revised revised);

    void compacted(long oldest);
  }

  private final History history;
  private final Walker walker;
  private volatile Thread thread; // that of the walk, once it runs
  private long next;
  private volatile boolean open = true;

  private Cursor(History history, long from, Walker walker) {
    this.history = history;
    this.walker = walker;
    this.next = Math.max(1, from);
  }

  static Cursor start(History history, Threads threads, String name, long from, Walker walker) {
    Cursor cursor = new Cursor(history, from, walker);
    threads.start(name, cursor::walk);
    return cursor;
  }

  boolean open() {
    return open;
  }

  private void walk() {
    thread = Thread.currentThread();
    history.enter(thread);
    try {
      while (history.await(next, this)) {
        List<Revised> revisions;
        try {
          revisions = history.from(next);
        } catch (CompactedException e) {
          open = false;
          walker.compacted(e.oldestRevision());
          return;
        }
        for (Revised revised : revisions) {
          if (!open) {
            return;
          }
          walker.at(revised);
          next = revised.revision() + 1;
        }
      }
    } finally {
      history.leave(thread);
    }
  }

  /** At most the call that is already under way still reaches the watcher. */
  @Override
  public void close() {
    open = false;
    LockSupport.unpark(thread); // before it runs there is none to wake, and it will see that it is closed
  }
}
