package dev.skep.testkit.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process on one machine does not pay for the cluster form. */
class LoadedClassesTest {
  @TempDir
  private Path folder;

  @Test
  void theEmbeddedFormLoadsNothingOfEtcdOrKafka() throws Exception {
    Process process = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED",
        "-Xlog:class+load:stdout", "-cp", System.getProperty("java.class.path"), OpenByUri.class.getName(), "embedded:" + folder.resolve("store"))
        .redirectErrorStream(true).start();
    List<String> lines;
    try (var reader = process.inputReader()) {
      lines = reader.lines().toList();
    }
    assertThat(process.waitFor()).isZero();
    assertThat(lines).anyMatch(line -> line.contains("dev.skep.backend.embedded.SqliteStore "));
    assertThat(lines).noneMatch(line -> line.contains(" io.grpc.") || line.contains(" io.etcd.") || line.contains("dev.skep.backend.etcd.EtcdStore ")
        || line.contains(" org.apache.kafka."));
  }
}
