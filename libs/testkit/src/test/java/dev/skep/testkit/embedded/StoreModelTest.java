package dev.skep.testkit.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.CompactedException;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.embedded.SqliteStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The store against a model that simply keeps every state: random writes, compactions and restarts. */
class StoreModelTest {
  @TempDir
  private Path folder;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void everyKeptRevisionReadsAsItWas(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Map<String, String>> states = new ArrayList<>(List.of(Map.of())); // by revision
    long oldest = 1;
    SqliteStore store = SqliteStore.open(folder, TestThreads::start);
    try {
      for (int step = 0; step < 400; step++) {
        int what = random.nextInt(40);
        if (what == 0) {
          store.close();
          store = SqliteStore.open(folder, TestThreads::start);
        } else if (what < 3 && states.size() > 2) {
          oldest = Math.max(oldest, 1 + random.nextLong(states.size() - 1));
          store.compact(oldest);
        } else {
          states.addAll(write(store, random, states.getLast()));
        }
        long revision = 1 + random.nextLong(states.size());
        check(store, Math.min(revision, states.size() - 1), oldest, states, seed);
      }
      for (long revision = 1; revision < states.size(); revision++) {
        check(store, revision, oldest, states, seed);
      }
    } finally {
      store.close();
    }
  }

  /** One commit; returns the state that it made, if it changed anything. */
  private static List<Map<String, String>> write(Store store, SplittableRandom random, Map<String, String> now) {
    Map<String, String> next = new TreeMap<>(now);
    Map<String, Operation> operations = new TreeMap<>();
    for (int i = 0; i <= random.nextInt(4); i++) {
      String key = "k" + random.nextInt(12);
      byte[] value = Integer.toString(random.nextInt(1_000)).getBytes(StandardCharsets.UTF_8);
      operations.put(key, random.nextInt(3) == 0 ? new Operation.Delete(key) : new Operation.Put(key, value));
    }
    boolean changes = operations.values().stream()
        .anyMatch(operation -> operation instanceof Operation.Put || now.containsKey(operation.key()));
    operations.values().forEach(operation -> {
      switch (operation) {
        case Operation.Put put -> next.put(put.key(), new String(put.value(), StandardCharsets.UTF_8));
        case Operation.Delete delete -> next.remove(delete.key());
      }
    });
    long before = store.revision();
    assertThat(store.commit(new Transaction(List.of(), List.copyOf(operations.values()))))
        .isEqualTo(new Outcome.Committed(changes ? before + 1 : before));
    return changes ? List.of(next) : List.of();
  }

  private static void check(Store store, long revision, long oldest, List<Map<String, String>> states, long seed) {
    if (revision < 1) {
      return;
    }
    if (revision < oldest && revision < states.size() - 1) {
      assertThatThrownBy(() -> store.readAt("", revision)).isInstanceOf(CompactedException.class);
      return;
    }
    Map<String, String> read = new TreeMap<>();
    store.readAt("", revision).entries().forEach(entry -> read.put(entry.key(), new String(entry.value(), StandardCharsets.UTF_8)));
    assertThat(read).as("revision %d of %d, oldest %d, seed %d", revision, states.size() - 1, oldest, seed)
        .isEqualTo(states.get((int) revision));
    assertThat(store.revision()).isEqualTo(states.size() - 1);
  }
}
