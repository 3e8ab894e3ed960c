package dev.skep.agent.shell;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.skep.runtime.Host;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the agent starts from when no manager is there. Written whole, at most once in a while per file. */
final class Disk {
  private static final Logger LOG = LoggerFactory.getLogger(Disk.class);
  private static final Duration PAUSE = Duration.ofMillis(500);

  private final Path folder;
  private final Host host;
  private final Executor agent;
  private final Map<String, Supplier<? extends MessageLite>> waiting = new HashMap<>();
  private final Set<String> planned = new HashSet<>();
  private boolean closed;

  Disk(Path folder, Host host, Executor agent) {
    this.folder = folder;
    this.host = host;
    this.agent = agent;
  }

  <T extends MessageLite> Optional<T> read(String name, Parser<T> parser) {
    Path file = folder.resolve(name);
    try {
      return Files.exists(file) ? Optional.of(parser.parseFrom(Files.readAllBytes(file))) : Optional.empty();
    } catch (IOException e) {
      LOG.error("{} cannot be read and is put aside: {}", file, e.toString());
      try {
        Files.move(file, folder.resolve(name + ".unreadable"), StandardCopyOption.REPLACE_EXISTING);
      } catch (IOException again) {
        throw new UncheckedIOException(again);
      }
      return Optional.empty();
    }
  }

  /** Writes soon; the content is asked for then. On the agent's thread. */
  void write(String name, Supplier<? extends MessageLite> content) {
    waiting.put(name, content);
    if (planned.add(name)) {
      host.after(PAUSE, () -> agent.execute(() -> begin(name)));
    }
  }

  private void begin(String name) {
    Supplier<? extends MessageLite> content = waiting.remove(name);
    if (content == null || closed) {
      planned.remove(name);
      return;
    }
    byte[] bytes = content.get().toByteArray();
    host.blocking("agent-disk", () -> {
      boolean written = put(name, bytes);
      agent.execute(() -> ended(name, content, written));
    });
  }

  private void ended(String name, Supplier<? extends MessageLite> content, boolean written) {
    planned.remove(name);
    if (!written) {
      waiting.putIfAbsent(name, content);
    }
    if (!closed && waiting.containsKey(name)) {
      write(name, waiting.get(name));
    }
  }

  private boolean put(String name, byte[] bytes) {
    Path file = folder.resolve(name);
    Path fresh = folder.resolve(name + ".new");
    try {
      Files.write(fresh, bytes);
      try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return true;
    } catch (IOException e) {
      LOG.error("{} cannot be written, tried again: {}", file, e.toString());
      return false;
    }
  }

  /** Writes at once what still waits. On the agent's thread, which may block when it ends. */
  void close() {
    closed = true;
    waiting.forEach((name, content) -> put(name, content.get().toByteArray()));
    waiting.clear();
  }

  /** The node has left: nothing of it may be taken up again. */
  void clear(String... names) {
    closed = true;
    waiting.clear();
    for (String name : names) {
      try {
        Files.deleteIfExists(folder.resolve(name));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
