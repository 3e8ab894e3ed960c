package dev.skep.backend.embedded;

import dev.skep.backend.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** The living keys, in memory: what reads answer from. The writer changes it once per group of commits. */
final class Latest {
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final TreeMap<String, Store.Entry> entries = new TreeMap<>();
  private volatile long revision;

  /** At start only. */
  void load(Store.Entry entry) {
    entries.put(entry.key(), entry);
  }

  void startAt(long newest) {
    revision = newest;
  }

  long revision() {
    return revision;
  }

  Optional<Store.Entry> get(String key) {
    lock.readLock().lock();
    try {
      return Optional.ofNullable(entries.get(key));
    } finally {
      lock.readLock().unlock();
    }
  }

  Store.Snapshot read(String prefix) {
    lock.readLock().lock();
    try {
      List<Store.Entry> found = new ArrayList<>();
      for (Store.Entry entry : entries.tailMap(prefix, true).values()) {
        if (!entry.key().startsWith(prefix)) {
          break;
        }
        found.add(entry);
      }
      return new Store.Snapshot(revision, found);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Makes durable revisions visible, all at once. */
  void publish(List<Revised> revisions) {
    lock.writeLock().lock();
    try {
      for (Revised revised : revisions) {
        for (Store.Change change : revised.changes()) {
          if (change.value() == null) {
            entries.remove(change.key());
          } else {
            entries.put(change.key(), new Store.Entry(change.key(), change.value(), change.createRevision(), change.modRevision()));
          }
        }
        revision = revised.revision();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
