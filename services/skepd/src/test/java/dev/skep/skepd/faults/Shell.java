package dev.skep.skepd.faults;

import java.io.IOException;
import java.util.List;

/** Commands of the operating system. */
final class Shell {
  private Shell() {}

  /** What it printed; it must succeed. */
  static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes());
    int status = process.waitFor();
    if (status != 0) {
      throw new AssertionError(String.join(" ", List.of(command)) + " ended with " + status + ": " + said);
    }
    return said;
  }

  static void signal(String which, Process process) throws IOException, InterruptedException {
    run("kill", "-" + which, Long.toString(process.pid()));
  }
}
