package dev.skep.controlapi.shell;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs the real docker CLI against a socket. */
record Cli(Path socket) {
  private static final int PATIENCE_SECONDS = 60;

  record Result(int exit, String out, String err) {
    String ok() {
      if (exit != 0) {
        throw new AssertionError("exit " + exit + ": " + out + err);
      }
      return out;
    }
  }

  Result run(String... arguments) throws Exception {
    return with("", arguments);
  }

  /** With this text on standard input, which then ends. */
  Result with(String input, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("docker", "-H", "unix://" + socket));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("DOCKER_BUILDKIT", "0");
    Process process = builder.start();
    CompletableFuture<byte[]> err = CompletableFuture.supplyAsync(() -> bytes(process.getErrorStream()), Thread::startVirtualThread);
    CompletableFuture<byte[]> out = CompletableFuture.supplyAsync(() -> bytes(process.getInputStream()), Thread::startVirtualThread);
    try (var stdin = process.getOutputStream()) {
      stdin.write(input.getBytes(StandardCharsets.UTF_8));
    }
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("docker " + String.join(" ", arguments) + " does not end");
    }
    return new Result(process.exitValue(), new String(out.join(), StandardCharsets.UTF_8), new String(err.join(), StandardCharsets.UTF_8));
  }

  private static byte[] bytes(InputStream stream) {
    try {
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
