package dev.skep.agent.shell;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Runs the programs that look at and change this node's network. Blocking. */
public final class Commands {
  /** Where each program comes from on Debian. */
  private static final Map<String, String> PACKAGES =
      new TreeMap<>(
          Map.of(
              "nft", "nftables",
              "ip", "iproute2",
              "bridge", "iproute2",
              "iptables", "iptables",
              "iptables-restore", "iptables",
              "conntrack", "conntrack",
              "sysctl", "procps"));
  private static final Duration LONGEST = Duration.ofSeconds(60);

  /** A program that said no. */
  public static final class Failed extends Exception {
    private static final long serialVersionUID = 1;

    Failed(String message) {
      super(message);
    }
  }

  private final List<String> prefix;

  public Commands(List<String> prefix) {
    this.prefix = prefix;
  }

  /** What is not installed, as a sentence; empty when all is there. */
  public static String missing() {
    List<String> problems = new ArrayList<>();
    PACKAGES.forEach(
        (program, origin) -> {
          if (find(program) == null) {
            problems.add(program + " (Debian package " + origin + ")");
          }
        });
    return problems.isEmpty() ? "" : "programs that the agent needs are not installed: " + String.join(", ", problems);
  }

  private static Path find(String program) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin";
    for (String folder : path.split(":")) {
      Path file = Path.of(folder.isEmpty() ? "." : folder, program);
      if (Files.isExecutable(file)) {
        return file;
      }
    }
    return null;
  }

  public String run(String... command) throws Failed {
    return feed("", command);
  }

  /** Runs with the text as standard input. */
  public String feed(String input, String... command) throws Failed {
    Path program = find(command[0]);
    if (program == null) {
      throw new Failed(command[0] + " is not installed: Debian package " + PACKAGES.getOrDefault(command[0], "unknown"));
    }
    List<String> line = new ArrayList<>(prefix);
    line.add(program.toString());
    line.addAll(List.of(command).subList(1, command.length));
    try {
      Path errors = Files.createTempFile("skep-command", ".err");
      try {
        return run(line, input, errors);
      } finally {
        Files.deleteIfExists(errors);
      }
    } catch (IOException e) {
      throw new Failed(command[0] + " cannot be run: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Failed(command[0] + " was interrupted");
    }
  }

  private static String run(List<String> line, String input, Path errors) throws IOException, InterruptedException, Failed {
    Process process = new ProcessBuilder(line).redirectError(errors.toFile()).start();
    try {
      try (var out = process.getOutputStream()) {
        out.write(input.getBytes(StandardCharsets.UTF_8));
      } catch (IOException brokenPipe) {
        // The program ended before it read everything; its exit code and errors tell why.
      }
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(LONGEST.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new Failed(String.join(" ", line) + " did not end within " + LONGEST.toSeconds() + " s");
      }
      if (process.exitValue() != 0) {
        throw new Failed(String.join(" ", line) + ": " + Files.readString(errors).strip() + " (exit " + process.exitValue() + ")");
      }
      return output;
    } finally {
      process.destroy();
    }
  }
}
