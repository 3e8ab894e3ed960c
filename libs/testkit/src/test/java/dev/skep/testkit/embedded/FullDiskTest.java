package dev.skep.testkit.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.backend.embedded.SqliteStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a small file system of our own; needs root. */
@Tag("engine")
class FullDiskTest {
  @TempDir
  private Path folder;

  @BeforeEach
  void mount() throws Exception {
    run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder.toString());
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", folder.toString());
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(String.join(" ", command)).isZero();
  }

  /** Two keys: one commit is seen whole or not at all. */
  private static Transaction pair(int n) {
    byte[] value = new byte[8_000];
    value[0] = (byte) n;
    return new Transaction(List.of(), List.of(new Operation.Put("a" + n, value), new Operation.Put("b" + n, value)));
  }

  @Test
  void aFullDiskIsAClearErrorAndTheStoreGoesOnWhenSpaceIsBack() throws Exception {
    Path ballast = folder.resolve("ballast");
    Files.write(ballast, new byte[1 << 20]);
    int landed = 0;
    try (Store store = SqliteStore.open(folder.resolve("store"), TestThreads::start)) {
      StoreException full = null;
      while (full == null) {
        try {
          store.commit(pair(landed));
          landed++;
        } catch (StoreException e) {
          full = e;
        }
      }
      assertThat(full.full()).isTrue();
      assertThat(full).hasMessageContaining("no space is left on its disk");
      assertThat(landed).isGreaterThan(10);
      long revision = store.revision();
      int kept = landed;
      assertThatThrownBy(() -> store.commit(pair(kept))).isInstanceOf(StoreException.class);
      assertThat(store.revision()).isEqualTo(revision);
      assertThat(store.read("").entries()).hasSize(2 * landed);
      Files.delete(ballast);
      store.commit(pair(landed++));
      assertThat(store.revision()).isEqualTo(revision + 1);
    }
    try (Store store = SqliteStore.open(folder.resolve("store"), TestThreads::start)) {
      assertThat(store.read("").entries()).hasSize(2 * landed);
      assertThat(store.revision()).isEqualTo(landed);
    }
  }

  @Test
  void aDiskFullFromTheStartIsAClearError() throws Exception {
    Path ballast = folder.resolve("ballast");
    byte[] block = new byte[4096];
    try (var out = Files.newOutputStream(ballast)) {
      while (true) {
        out.write(block);
      }
    } catch (java.io.IOException e) {
      // full
    }
    assertThatThrownBy(() -> SqliteStore.open(folder.resolve("store"), TestThreads::start)).isInstanceOf(StoreException.class)
        .message().containsAnyOf("no space is left", "has space left");
  }

  @Test
  void aReadOnlyFolderIsAClearError() throws Exception {
    SqliteStore.open(folder.resolve("store"), TestThreads::start).close();
    run("mount", "-o", "remount,ro", folder.toString());
    assertThatThrownBy(() -> SqliteStore.open(folder.resolve("store"), TestThreads::start)).isInstanceOf(StoreException.class)
        .hasMessageContaining("mounted read-only");
    run("mount", "-o", "remount,rw", folder.toString());
    try (Store store = SqliteStore.open(folder.resolve("store"), TestThreads::start)) {
      assertThat(store.revision()).isZero();
    }
  }
}
