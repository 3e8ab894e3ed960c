package dev.skep.testkit.sim;

import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.state.Rows;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The store's leases: whose owner is silent for too long loses the rows that hang on it. */
public final class SimLeases {
  static final Duration LIFE = Duration.ofSeconds(3);

  private final SimStore store;
  private final Map<Long, Instant> ends = new HashMap<>();
  private final Map<String, Long> leaseOfKey = new TreeMap<>();
  private long last;

  SimLeases(SimStore store) {
    this.store = store;
  }

  long grant() {
    long id = ++last;
    ends.put(id, Instant.MIN);
    renew(id);
    return id;
  }

  /** False: it has ended. */
  boolean renew(long id) {
    if (!ends.containsKey(id)) {
      return false;
    }
    Instant end = store.world().now().plus(LIFE);
    ends.put(id, end);
    store.world().after(LIFE, () -> {
      if (end.equals(ends.get(id))) {
        end(id);
      }
    });
    return true;
  }

  private void end(long id) {
    ends.remove(id);
    store.world().note("store", "lease " + id + " ends");
    Set<String> keys = new HashSet<>();
    leaseOfKey.forEach((key, lease) -> {
      if (lease == id) {
        keys.add(key);
      }
    });
    leaseOfKey.keySet().removeAll(keys);
    keys.removeIf(key -> store.state().row(Rows.keyOf(key).orElseThrow()) == null);
    if (!keys.isEmpty()) {
      List<Operation> deletes = keys.stream().sorted().<Operation>map(Operation.Delete::new).toList();
      store.commit("lease", new Transaction(List.of(), deletes));
    }
  }

  boolean live(List<Operation> operations) {
    return operations.stream().allMatch(operation ->
        !(operation instanceof Operation.Put put) || put.leaseId() == 0 || ends.containsKey(put.leaseId()));
  }

  void attach(List<Operation> operations) {
    for (Operation operation : operations) {
      if (operation instanceof Operation.Put put && put.leaseId() != 0) {
        leaseOfKey.put(put.key(), put.leaseId());
      } else {
        leaseOfKey.remove(operation.key());
      }
    }
  }

  /** Another store takes this one's place: it knows none of them. */
  void forget() {
    ends.clear();
    leaseOfKey.clear();
  }
}
