package dev.skep.testkit;

import dev.skep.backend.Store;
import java.time.Duration;
import java.util.Optional;

/** A store in front of another, for tests that change one of its ways. */
public class ForwardingStore implements Store {
  private final Store store;

  public ForwardingStore(Store store) {
    this.store = store;
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
  public Outcome commit(Transaction transaction) {
    return store.commit(transaction);
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
  public void close() {
    store.close();
  }
}
