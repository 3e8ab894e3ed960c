package dev.skep.skepd.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** One command as a user would type it, and what it printed. */
record Command(List<String> words, Map<String, String> environment, Duration timeout) {
  /** What it printed, standard output and error together in the order written, and how it ended. */
  record Result(List<String> words, int exit, String output) {
    Result succeeds() {
      if (exit != 0) {
        throw new AssertionError("exit " + exit + " of " + String.join(" ", words) + "\n" + output);
      }
      return this;
    }

    Result fails() {
      if (exit == 0) {
        throw new AssertionError("should have failed: " + String.join(" ", words) + "\n" + output);
      }
      return this;
    }

    String text() {
      return output.strip();
    }

    List<String> lines() {
      return output.lines().filter(line -> !line.isBlank()).toList();
    }
  }

  static Command of(String... words) {
    return new Command(List.of(words), Map.of(), Duration.ofSeconds(120));
  }

  Command with(String name, String value) {
    Map<String, String> more = new TreeMap<>(environment);
    more.put(name, value);
    return new Command(words, more, timeout);
  }

  Command within(Duration limit) {
    return new Command(words, environment, limit);
  }

  Command inNamespace(String namespace) {
    List<String> all = new ArrayList<>(List.of("nsenter", "--net=/var/run/netns/" + namespace));
    all.addAll(words);
    return new Command(all, environment, timeout);
  }

  Result run() {
    Path output = null;
    try {
      output = Files.createTempFile("skep-e2e", ".out");
      Process process = start(output);
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        throw new AssertionError("no end after " + timeout + ": " + String.join(" ", words) + "\n" + Files.readString(output));
      }
      return new Result(words, process.exitValue(), new String(Files.readAllBytes(output), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted: " + String.join(" ", words), e);
    } finally {
      delete(output);
    }
  }

  /** Starts it without waiting; the caller ends it. */
  Process start(Path output) {
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.environment().remove("DOCKER_HOST");
    builder.environment().putAll(environment);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
