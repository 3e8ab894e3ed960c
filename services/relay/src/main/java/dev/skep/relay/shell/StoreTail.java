package dev.skep.relay.shell;

import dev.skep.backend.Store;
import dev.skep.relay.core.Moved;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The store's watch as a queue for one thread. While the queue is full the watch waits. */
final class StoreTail {
  private static final int QUEUE = 512;

  /** What there is to know. */
  sealed interface Event {
    record Revision(Watching of, Moved moved) implements Event {}

    record Lost(Watching of) implements Event {}

    /** Something else happened: look. */
    record Wake() implements Event {}
  }

  private final Store store;
  private final BlockingQueue<Event> queue = new LinkedBlockingQueue<>(QUEUE);
  private volatile Watching current; // null: none is open

  StoreTail(Store store) {
    this.store = store;
  }

  void open(long from) {
    close();
    Watching watching = new Watching();
    current = watching;
    watching.watch = store.watch("", from, watching);
  }

  boolean isOpen() {
    return current != null;
  }

  /** What the watch had told and nobody took is forgotten. */
  void close() {
    Watching watching = current;
    current = null;
    if (watching != null) {
      queue.clear();
      watching.watch.close();
      queue.clear();
    }
  }

  /** From any thread. */
  void wake() {
    queue.offer(new Event.Wake()); // when it is full nobody sleeps
  }

  /** The next event of the open watch, or a wake; null when none came in time. */
  Event next(Duration wait) throws InterruptedException {
    Event event = wait.isPositive() ? queue.poll(wait.toNanos(), TimeUnit.NANOSECONDS) : queue.poll();
    return switch (event) {
      case Event.Revision revision when revision.of != current -> new Event.Wake();
      case Event.Lost lost when lost.of != current -> new Event.Wake();
      case null -> null;
      default -> event;
    };
  }

  /** One watch. */
  final class Watching implements Store.Watcher {
    private Store.Watch watch; // known to the relay's thread

    @Override
    public void changed(long revision, List<Store.Change> changes) {
      put(new Event.Revision(this, new Moved(revision, changes.stream().map(Shown::change).toList())));
    }

    @Override
    public void compacted(long oldestRevision) {
      put(new Event.Lost(this));
    }

    private void put(Event event) {
      try {
        while (current == this && !queue.offer(event, 1, TimeUnit.SECONDS)) {
          Thread.onSpinWait(); // it waited a second; the relay is busy with the brokers
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
