package dev.skep.runtime.host;

import dev.skep.runtime.Membership;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.grpc.HostPort;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** Membership in a file that is replaced as a whole: it is the old one or the new one, also after a power cut. */
public final class FileMembership implements Membership {
  private static final String FILE = "membership.properties";

  private final Path folder;
  private final List<Consumer<Optional<Identity>>> listeners = new CopyOnWriteArrayList<>();
  private final ReentrantLock changing = new ReentrantLock(); // also held while listeners are told: they hear of changes in order
  private volatile Optional<Identity> current;

  public FileMembership(Path folder) {
    this.folder = folder;
    this.current = read();
  }

  private Optional<Identity> read() {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    Properties fields = new Properties();
    try {
      fields.load(new StringReader(Files.readString(file)));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
    boolean manager = Boolean.parseBoolean(field(fields, "manager"));
    String advertised = field(fields, "advertise-address");
    // The last two are younger than some files: what was a cluster of one node lets others join now.
    String listen = fields.getProperty("listen-address", manager ? HostPort.of("0.0.0.0", NetworkDoor.PORT) : "");
    String managers = fields.getProperty("managers", manager ? HostPort.of(advertised, NetworkDoor.PORT) : "");
    return Optional.of(new Identity(field(fields, "cluster"), field(fields, "node"), manager, advertised,
        field(fields, "data-path-address"), listen, managers.isEmpty() ? List.of() : List.of(managers.split(","))));
  }

  private String field(Properties fields, String name) {
    String value = fields.getProperty(name);
    if (value == null) {
      throw new IllegalStateException(folder.resolve(FILE) + " lacks '" + name + "': the file is damaged");
    }
    return value;
  }

  @Override
  public Optional<Identity> current() {
    return current;
  }

  @Override
  public void become(Identity identity) {
    change(Optional.of(identity), () -> write(identity));
  }

  @Override
  public void prepare(Identity identity) {
    changing.lock();
    try {
      write(identity);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + folder.resolve(FILE), e);
    } finally {
      changing.unlock();
    }
  }

  private void write(Identity identity) throws IOException {
    Properties fields = new Properties();
    fields.setProperty("cluster", identity.clusterId());
    fields.setProperty("node", identity.nodeId());
    fields.setProperty("manager", Boolean.toString(identity.manager()));
    fields.setProperty("advertise-address", identity.advertiseAddress());
    fields.setProperty("data-path-address", identity.dataPathAddress());
    fields.setProperty("listen-address", identity.listenAddress());
    fields.setProperty("managers", String.join(",", identity.managers()));
    StringWriter text = new StringWriter();
    fields.store(text, null);
    replace(text.toString());
  }

  @Override
  public void leave() {
    change(Optional.empty(), () -> {
      Files.deleteIfExists(folder.resolve(FILE));
      flush(folder);
    });
  }

  /** Reads the file again, which another process may have replaced. */
  void refresh() {
    changing.lock();
    try {
      Optional<Identity> now = read();
      if (!now.equals(current)) {
        current = now;
        listeners.forEach(listener -> listener.accept(now));
      }
    } finally {
      changing.unlock();
    }
  }

  private interface Writing {
    void run() throws IOException;
  }

  private void change(Optional<Identity> next, Writing writing) {
    changing.lock();
    try {
      writing.run();
      current = next;
      listeners.forEach(listener -> listener.accept(next));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + folder.resolve(FILE), e);
    } finally {
      changing.unlock();
    }
  }

  private void replace(String text) throws IOException {
    Files.createDirectories(folder);
    Path fresh = folder.resolve(FILE + ".new");
    try (FileChannel channel =
        FileChannel.open(fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(fresh, folder.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    flush(folder);
  }

  private static void flush(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public AutoCloseable listen(Consumer<Optional<Identity>> listener) {
    changing.lock();
    try {
      listener.accept(current);
      listeners.add(listener);
    } finally {
      changing.unlock();
    }
    return () -> listeners.remove(listener);
  }
}
