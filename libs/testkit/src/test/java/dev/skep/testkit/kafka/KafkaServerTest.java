package dev.skep.testkit.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The start of a broker, where there is none. */
class KafkaServerTest {
  @TempDir Path folder;

  @Test
  void aBrokerThatDoesNotStartIsEndedAndSaysWhy() throws Exception {
    Path log = folder.resolve("log");
    Files.writeString(log, "no controller");
    Process process = new ProcessBuilder("sh", "-c", "echo waiting; exec sleep 600").start();
    try {
      assertThatThrownBy(() -> KafkaServer.awaitReady(process, Duration.ofMillis(10), log))
          .hasMessageContaining("waiting").hasMessageContaining("no controller");
      assertThat(process.onExit().join().isAlive()).isFalse();
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void aBrokerThatEndsAtOnceSaysWhy() throws Exception {
    Path log = folder.resolve("log");
    Files.writeString(log, "no space left");
    Process process = new ProcessBuilder("sh", "-c", "exit 1").start();
    assertThatThrownBy(() -> KafkaServer.awaitReady(process, Duration.ofMinutes(1), log)).hasMessageContaining("no space left");
  }
}
