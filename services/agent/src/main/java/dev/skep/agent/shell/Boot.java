package dev.skep.agent.shell;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether the machine was started since the agent last looked: then containers ended with it, not by themselves. */
final class Boot {
  private final Path file;
  private final String now = NodeFacts.bootId();
  private boolean fresh;

  Boot(Path folder) {
    this.file = folder.resolve(NodeAgent.BOOT);
    try {
      this.fresh = Files.exists(file) && !Files.readString(file).equals(now);
      if (!Files.exists(file)) {
        Files.writeString(file, now);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  boolean isNew() {
    return fresh;
  }

  void remember() {
    fresh = false;
    try {
      Files.writeString(file, now);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
