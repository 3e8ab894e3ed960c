package dev.skep.testkit.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Backends;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.backend.embedded.SqliteStore;
import dev.skep.testkit.contract.StoreContract;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteStoreTest extends StoreContract {
  @TempDir
  private Path folder;

  @Override
  protected Store open() {
    return SqliteStore.open(folder, TestThreads::start);
  }

  private static Transaction put(String key, String value, long lease) {
    return new Transaction(List.of(), List.of(new Operation.Put(key, value.getBytes(StandardCharsets.UTF_8), lease)));
  }

  @Test
  void whatWasWrittenIsThereAfterARestart() {
    store.commit(put("a", "1", 0));
    store.commit(put("b", "1", 0));
    store.commit(new Transaction(List.of(), List.of(new Operation.Delete("b"))));
    long revision = store.revision();
    store.close();
    store = open();
    assertThat(store.revision()).isEqualTo(revision);
    assertThat(store.read("").entries()).extracting(Store.Entry::key).containsExactly("a");
    store.compact(revision);
    store.close();
    store = open();
    assertThat(store.revision()).isEqualTo(revision);
    assertThat(store.read("").entries()).extracting(Store.Entry::key).containsExactly("a");
    assertThat(store.commit(put("c", "1", 0))).isEqualTo(new Store.Outcome.Committed(revision + 1));
  }

  /** Or each process that is killed would leave its copy of the library. */
  @Test
  void whatTheDriverUnpackedIsOffTheDiskAtOnce() throws IOException {
    try (Stream<String> mapped = Files.lines(Path.of("/proc/self/maps"))) {
      assertThat(mapped.filter(line -> line.contains("sqlitejdbc"))).isNotEmpty().allMatch(line -> line.endsWith("(deleted)"));
    }
  }

  @Test
  void leasesEndWithTheProcessThatHeldThem() {
    Store.Lease lease = store.lease(Duration.ofSeconds(30));
    store.commit(put("held", "1", lease.id()));
    store.commit(put("free", "1", 0));
    store.close();
    assertThat(lease.alive()).isFalse();
    store = open();
    assertThat(store.read("").entries()).extracting(Store.Entry::key).containsExactly("free");
  }

  @Test
  void aLeaseThatNobodyCouldKeepAliveExpires() throws InterruptedException {
    store.close();
    AtomicLong stopped = new AtomicLong(); // what the machine slept
    store = SqliteStore.open(folder, TestThreads::start, new SqliteStore.Options(1_000, () -> System.nanoTime() + stopped.get()));
    Store.Lease lease = store.lease(Duration.ofMillis(300));
    store.commit(put("held", "1", lease.id()));
    BlockingQueue<Store.Change> gone = new LinkedBlockingQueue<>();
    try (Store.Watch watch = store.watch("held", store.revision() + 1, new Store.Watcher() {
      @Override
      public void changed(long revision, List<Store.Change> changes) {
        gone.addAll(changes);
      }

      @Override
      public void compacted(long oldestRevision) {
        throw new AssertionError("nobody compacts");
      }
    })) {
      assertThat(watch).isNotNull();
      stopped.set(Duration.ofHours(1).toNanos());
      Store.Change change = gone.poll(20, TimeUnit.SECONDS);
      assertThat(change).isNotNull();
      assertThat(change.value()).isNull();
      assertThat(lease.alive()).isFalse();
    }
  }

  @Test
  void theHistoryIsBoundedAndAWatchFromBeforeMemoryReadsTheFile() {
    store.close();
    store = SqliteStore.open(folder, TestThreads::start, new SqliteStore.Options(2_000, System::nanoTime));
    for (int i = 0; i < 3_000; i++) {
      store.commit(put("k" + i % 10, "" + i, 0));
    }
    assertThatThrownBy(() -> store.readAt("", 500)).isInstanceOf(StoreException.class);
    assertThat(store.readAt("", 1_500).entries()).hasSize(10);
    BlockingQueue<Long> revisions = new LinkedBlockingQueue<>();
    try (Store.Watch watch = store.watch("", 1_200, new Store.Watcher() {
      @Override
      public void changed(long revision, List<Store.Change> changes) {
        revisions.add(revision);
      }

      @Override
      public void compacted(long oldestRevision) {
        throw new AssertionError("compacted to " + oldestRevision);
      }
    })) {
      assertThat(watch).isNotNull();
      for (long expected = 1_200; expected <= 3_000; expected++) {
        assertThat(poll(revisions)).isEqualTo(expected);
      }
    }
  }

  private static Long poll(BlockingQueue<Long> revisions) {
    try {
      return revisions.poll(20, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aSecondOwnerIsRefusedByName() {
    assertThatThrownBy(() -> SqliteStore.open(folder, TestThreads::start)).isInstanceOf(StoreException.class)
        .hasMessageContaining("in use by process " + ProcessHandle.current().pid());
  }

  @Test
  void aPlaceThatIsNoFolderSaysWhatToDo() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "x");
    assertThatThrownBy(() -> SqliteStore.open(file.resolve("store"), TestThreads::start)).isInstanceOf(StoreException.class)
        .hasMessageContaining("the folder must be writable for");
  }

  @Test
  void aFileThatIsNoStoreIsRefused() throws Exception {
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("store.db"), "this is not a database, and it is long enough to look at".repeat(100));
    assertThatThrownBy(() -> SqliteStore.open(other, TestThreads::start)).isInstanceOf(StoreException.class)
        .hasMessageContaining("put a backup in its place");
  }

  @Test
  void aUriChoosesTheBackend() {
    try (Store other = Backends.store("embedded:" + folder.resolve("by-uri"), TestThreads::start)) {
      assertThat(other.revision()).isZero();
    }
    assertThatThrownBy(() -> Backends.store("etcd://me:secret@h1,h2", TestThreads::start)).hasMessageContaining("no credentials");
    assertThatThrownBy(() -> Backends.log("redis:x", store, TestThreads::start, () -> "", change -> change))
        .hasMessageContaining("names no log that there is");
    assertThatThrownBy(() -> Backends.store("redis:x", TestThreads::start)).hasMessageContaining("names no store that there is");
  }
}
