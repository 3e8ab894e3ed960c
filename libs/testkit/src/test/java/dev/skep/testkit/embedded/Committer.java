package dev.skep.testkit.embedded;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.embedded.SqliteStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The process that {@link CrashTest} kills: commits from four threads and prints what was acknowledged. */
final class Committer {
  private Committer() {}

  public static void main(String[] args) {
    Store store = SqliteStore.open(Path.of(args[0]), TestThreads::start);
    for (int i = 0; i < 4; i++) {
      String key = "t" + i;
      long first = store.get(key).map(entry -> Long.parseLong(new String(entry.value(), StandardCharsets.UTF_8)) + 1).orElse(0L);
      Thread.ofPlatform().start(() -> commit(store, key, first));
    }
  }

  private static void commit(Store store, String key, long first) {
    for (long n = first; ; n++) {
      byte[] value = Long.toString(n).getBytes(StandardCharsets.UTF_8);
      // Two keys in one commit: they must never be seen apart.
      List<Operation> twins = List.of(new Operation.Put(key, value), new Operation.Put(key + "-twin", value));
      Outcome outcome = store.commit(new Transaction(List.of(), twins));
      System.out.println(key + " " + n + " " + ((Outcome.Committed) outcome).revision());
    }
  }
}
