package dev.skep.backend.embedded;

import dev.skep.backend.Store.Transaction;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/**
 * Which leases live and which keys hang on them. Only the writer thread uses it. The writer keeps leases alive as long
 * as it comes to it in time: a process that was stopped for longer than a lease lasts has lost the lease.
 */
final class Leases {
  /** One lease, as its owner sees it. */
  static final class Held {
    private final long id;
    private final long ttlNanos;
    private long renewedAt;
    private volatile boolean alive = true;

    private Held(long id, long ttlNanos, long now) {
      this.id = id;
      this.ttlNanos = ttlNanos;
      this.renewedAt = now;
    }

    long id() {
      return id;
    }

    boolean alive() {
      return alive;
    }
  }

  private final LongSupplier nanos;
  private final Map<Long, Held> held = new HashMap<>();
  private final Map<String, Long> leaseOfKey = new HashMap<>();
  private final Map<Long, Set<String>> keysOfLease = new HashMap<>(); // also of leases that ended and whose keys are still there
  private long lastId;

  Leases(LongSupplier nanos) {
    this.nanos = nanos;
  }

  Held grant(Duration timeToLive) {
    Held lease = new Held(++lastId, timeToLive.toNanos(), nanos.getAsLong());
    held.put(lease.id, lease);
    return lease;
  }

  void require(long leaseId) {
    if (leaseId != 0 && !held.containsKey(leaseId)) {
      throw new StoreException("the lease " + leaseId + " has ended");
    }
  }

  /** Learns from durable changes which key hangs on which lease. */
  void published(List<List<Database.Leased>> revisions) {
    for (List<Database.Leased> changes : revisions) {
      changes.forEach(leased -> attach(leased.change().key(), leased.lease()));
    }
  }

  void attach(String key, long leaseId) {
    Long before = leaseId == 0 ? leaseOfKey.remove(key) : leaseOfKey.put(key, leaseId);
    if (before != null) {
      Set<String> keys = keysOfLease.get(before);
      keys.remove(key);
      if (keys.isEmpty()) {
        keysOfLease.remove(before);
      }
    }
    if (leaseId != 0) {
      keysOfLease.computeIfAbsent(leaseId, id -> new TreeSet<>()).add(key);
    }
  }

  void revoke(long leaseId) {
    Held lease = held.remove(leaseId);
    if (lease != null) {
      lease.alive = false;
    }
  }

  void revokeAll() {
    List.copyOf(held.keySet()).forEach(this::revoke);
  }

  /** Nanoseconds until {@link #renew} must run; negative when no lease lives. */
  long untilRenewal() {
    long next = -1;
    for (Held lease : held.values()) {
      long wait = Math.max(0, lease.renewedAt + lease.ttlNanos / 3 - nanos.getAsLong());
      next = next < 0 ? wait : Math.min(next, wait);
    }
    return next;
  }

  /** Keeps leases alive, and ends those whose time ran out before we came. */
  void renew() {
    long now = nanos.getAsLong();
    for (Held lease : List.copyOf(held.values())) {
      if (now - lease.renewedAt > lease.ttlNanos) {
        revoke(lease.id);
      } else if (now - lease.renewedAt >= lease.ttlNanos / 3) {
        lease.renewedAt = now;
      }
    }
  }

  /** The deletion of all keys of ended leases, one transaction per lease; empty when there are none. */
  List<Transaction> sweep() {
    List<Transaction> sweeps = new ArrayList<>();
    keysOfLease.forEach((lease, keys) -> {
      if (!held.containsKey(lease)) {
        sweeps.add(new Transaction(List.of(), keys.stream().<Operation>map(Operation.Delete::new).toList()));
      }
    });
    return sweeps;
  }
}
