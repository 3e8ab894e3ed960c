package dev.skep.dispatcher.shell;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Function;

/** A real store whose next commits go the way that the test says. */
final class FaultyStore implements Store {
  private final Store store;
  private final Queue<Function<Transaction, Outcome>> next = new ArrayDeque<>();

  FaultyStore(Store store) {
    this.store = store;
  }

  /** The next commit does not reach the store. */
  void fail() {
    next.add(transaction -> {
      throw new StoreException("no store");
    });
  }

  /** The next commit lands, and its answer is lost. */
  void loseAnswer() {
    next.add(transaction -> {
      store.commit(transaction);
      throw new StoreException("no answer");
    });
  }

  /** The next commit's answer is lost, and it lands when the returned action runs. */
  Runnable delay() {
    Transaction[] late = new Transaction[1];
    next.add(transaction -> {
      late[0] = transaction;
      throw new StoreException("no answer");
    });
    return () -> store.commit(late[0]);
  }

  /** Something else is written just before the next commit. */
  void interfere(Runnable write) {
    next.add(transaction -> {
      write.run();
      return store.commit(transaction);
    });
  }

  @Override
  public Outcome commit(Transaction transaction) {
    Function<Transaction, Outcome> fault = next.poll();
    return fault == null ? store.commit(transaction) : fault.apply(transaction);
  }

  @Override
  public long revision() {
    return store.revision();
  }

  @Override
  public Optional<Entry> get(String key) {
    return store.get(key);
  }

  @Override
  public Snapshot read(String prefix) {
    return store.read(prefix);
  }

  @Override
  public Snapshot readAt(String prefix, long revision) {
    return store.readAt(prefix, revision);
  }

  @Override
  public Watch watch(String prefix, long fromRevision, Watcher watcher) {
    return store.watch(prefix, fromRevision, watcher);
  }

  @Override
  public Lease lease(Duration timeToLive) {
    return store.lease(timeToLive);
  }

  @Override
  public void compact(long revision) {
    store.compact(revision);
  }

  @Override
  public void close() {}
}
