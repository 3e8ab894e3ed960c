package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a process leaves behind that is halted. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ChildrenTest {
  /** Starts a process that would go on for an hour, prints its id, and ends without a word. */
  static final class Halted {
    private Halted() {}

    public static void main(String[] args) throws Exception {
      System.out.println(Children.start(new ProcessBuilder("sleep", "3600")).pid());
      Runtime.getRuntime().halt(0);
    }
  }

  @Test
  @Tag("slow")
  void aProcessEndsWithTheOneThatStartedIt() throws Exception {
    Process halted = new ProcessBuilder(List.of(ProcessHandle.current().info().command().orElseThrow(), "-cp",
        System.getProperty("java.class.path"), Halted.class.getName())).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (BufferedReader said = halted.inputReader()) {
      long child = Long.parseLong(said.readLine());
      assertThat(halted.waitFor()).isZero();
      ProcessHandle.of(child).ifPresent(left -> left.onExit().join());
    } finally {
      halted.destroyForcibly();
    }
  }

  @Test
  void itOutlivesTheThreadThatAskedForIt() throws Exception {
    AtomicReference<Process> started = new AtomicReference<>();
    Thread asked = Thread.ofPlatform().start(() -> started.set(child()));
    asked.join();
    Process child = started.get();
    child.outputWriter().close();
    assertThat(child.waitFor()).as("it ended by itself, and was not killed").isZero();
  }

  private static Process child() {
    try {
      return Children.start(new ProcessBuilder("cat"));
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
