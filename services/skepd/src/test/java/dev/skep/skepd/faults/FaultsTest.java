package dev.skep.skepd.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Faults of the parts of a cluster, one after the other, under load. Everything runs in namespaces of its own, of
 * processes, mounts and network, and is gone with its first process whatever happens.
 */
@Tag("engine")
class FaultsTest {
  @TempDir Path folder;

  @Test
  @Tag("slow")
  @Timeout(value = 25, unit = TimeUnit.MINUTES)
  void eachFaultOnceForAShortWhile() throws Exception {
    run("short", 20);
  }

  @ParameterizedTest
  @ValueSource(strings = {"etcd", "kafka", "holders", "replicas", "disks"})
  @Tag("long")
  @Timeout(value = 45, unit = TimeUnit.MINUTES)
  void everyFaultForAsLongAsItLasts(String scenario) throws Exception {
    run(scenario, 40);
  }

  /** The process ends itself after so many minutes at most, and says where it was. */
  private void run(String scenario, int minutes) throws Exception {
    long seed = Long.getLong("skep.seed", System.nanoTime());
    List<String> command = List.of("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
        ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
        "-Xmx384m", "-XX:+UseSerialGC", "-Djava.io.tmpdir=" + folder,
        "-Dskep.home=" + System.getProperty("skep.home", ""), "-cp", System.getProperty("java.class.path"), FaultRun.class.getName(),
        folder.toString(), scenario, Long.toString(seed), Integer.toString(minutes));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    StringBuilder said = new StringBuilder("seed " + seed + "\n");
    try (BufferedReader reader = process.inputReader()) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        System.out.println(line);
        said.append(line).append('\n');
      }
      assertThat(process.waitFor()).as(said.toString()).isZero();
    } finally {
      process.destroyForcibly().onExit().join();
    }
  }
}
