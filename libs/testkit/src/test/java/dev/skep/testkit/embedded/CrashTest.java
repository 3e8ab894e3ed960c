package dev.skep.testkit.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.embedded.SqliteStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** kill -9 at any moment loses nothing that was acknowledged, and leaves no half of a commit. */
class CrashTest {
  @TempDir
  private Path folder;

  @Test
  @Tag("slow")
  void whatWasAcknowledgedIsThereAfterKill9() throws Exception {
    long seed = 20261121;
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, Long> acknowledged = new HashMap<>();
    long revision = 0;
    for (int round = 0; round < 5; round++) {
      revision = Math.max(revision, killAfter(1 + random.nextInt(3_000), acknowledged));
      try (Store store = SqliteStore.open(folder, TestThreads::start)) {
        assertThat(store.revision()).as("seed %d round %d", seed, round).isGreaterThanOrEqualTo(revision);
        acknowledged.forEach((key, n) -> {
          assertThat(value(store, key)).as("%s, seed %d", key, seed).isGreaterThanOrEqualTo(n);
          assertThat(value(store, key + "-twin")).isEqualTo(value(store, key));
        });
      }
    }
  }

  private static long value(Store store, String key) {
    return Long.parseLong(new String(store.get(key).orElseThrow().value(), StandardCharsets.UTF_8));
  }

  /** Runs a committer until it printed so many lines, kills it, and reads what it still had printed. Returns the last revision. */
  private long killAfter(int lines, Map<String, Long> acknowledged) throws IOException, InterruptedException {
    Process process = start();
    long revision = 0;
    try (BufferedReader reader = process.inputReader()) {
      int read = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        String[] parts = line.split(" ");
        if (parts.length == 3 && !parts[2].isEmpty()) {
          acknowledged.put(parts[0], Long.parseLong(parts[1]));
          revision = Math.max(revision, Long.parseLong(parts[2]));
        }
        if (++read == lines) {
          process.toHandle().destroyForcibly(); // kill -9; what it still printed can be read
        }
      }
      assertThat(read).as("the committer printed").isGreaterThanOrEqualTo(lines);
    } finally {
      process.destroyForcibly().waitFor();
    }
    return revision;
  }

  private Process start() throws IOException {
    return new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED", "-Xmx64m",
        "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), Committer.class.getName(),
        folder.toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  @Test
  void anotherProcessIsRefusedAndNamesTheOwner() throws Exception {
    Process process = start();
    try (BufferedReader reader = process.inputReader()) {
      assertThat(reader.readLine()).isNotNull();
      assertThatThrownBy(() -> SqliteStore.open(folder, TestThreads::start)).isInstanceOf(StoreException.class)
          .hasMessageContaining("in use by process " + process.pid());
    } finally {
      process.destroyForcibly().waitFor();
    }
  }
}
