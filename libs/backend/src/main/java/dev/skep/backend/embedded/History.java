package dev.skep.backend.embedded;

import dev.skep.backend.CompactedException;
import dev.skep.backend.StoreException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The past of the store, as watches walk through it: the newest revisions from memory, older ones from the file. A watch
 * that lags costs no memory, and a commit wakes waiting watches directly.
 */
final class History implements AutoCloseable {
  private static final int RECENT = 1024;
  private static final int PAGE = 256;

  private final Path folder;
  private final AtomicReferenceArray<Revised> recent = new AtomicReferenceArray<>(RECENT);
  private final CopyOnWriteArrayList<Thread> waiting = new CopyOnWriteArrayList<>();
  private final ReentrantLock reading = new ReentrantLock();
  private Database reader; // opened when first needed; under the lock
  private volatile long head;
  private volatile long oldest;
  private volatile boolean closed;

  History(Path folder, long head, long oldest) {
    this.folder = folder;
    this.head = head;
    this.oldest = oldest;
  }

  long oldest() {
    return oldest;
  }

  void publish(List<Revised> revisions) {
    for (Revised revised : revisions) {
      recent.set((int) (revised.revision() % RECENT), revised);
    }
    head = revisions.getLast().revision();
    waiting.forEach(LockSupport::unpark);
  }

  void compacted(long nowOldest) {
    oldest = nowOldest;
    waiting.forEach(LockSupport::unpark); // a watch that waits for nothing new is not concerned; one that lags is
  }

  /** The calling thread will call {@link #await}. */
  void enter(Thread watcher) {
    waiting.add(watcher);
  }

  void leave(Thread watcher) {
    waiting.remove(watcher);
  }

  /** Blocks until the revision is there; false when the watch or the store was closed first. */
  boolean await(long revision, Cursor cursor) {
    while (head < revision && !closed && cursor.open()) {
      LockSupport.park(this);
    }
    return !closed && cursor.open();
  }

  /** Some revisions from this one on, at least one. The revision must be there. */
  List<Revised> from(long revision) {
    long first = oldest;
    if (revision < first) {
      throw new CompactedException(revision, first);
    }
    Revised known = recent.get((int) (revision % RECENT));
    if (known != null && known.revision() == revision) {
      return List.of(known);
    }
    long last = Math.min(head, revision + PAGE - 1);
    return read(database -> database.history(revision, last));
  }

  <T> T read(java.util.function.Function<Database, T> question) {
    reading.lock();
    try {
      if (closed) {
        throw new StoreException("the store in " + folder + " is closed");
      }
      if (reader == null) {
        reader = Database.open(folder);
      }
      return question.apply(reader);
    } finally {
      reading.unlock();
    }
  }

  @Override
  public void close() {
    closed = true;
    waiting.forEach(LockSupport::unpark);
    reading.lock();
    try {
      if (reader != null) {
        reader.close();
      }
    } finally {
      reading.unlock();
    }
  }
}
