package dev.skep.controlapi.shell.http;

import dev.skep.runtime.Host;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens, and gives every connection a virtual thread. Blocking channels on virtual threads make a relay of bytes with
 * half-closed ends two loops of four lines, which is why this is not an event-loop server (services/control-api/README.md).
 */
public final class FrontDoor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FrontDoor.class);
  private static final Duration SWEEP = Duration.ofSeconds(1);
  private static final Duration OUT_OF_FILES = Duration.ofMillis(100);
  private static final int BACKLOG = 512;

  /** Decides what a request gets. */
  @FunctionalInterface
  public interface Handler {
    Reply handle(Request request) throws IOException, MalformedRequest, InterruptedException;
  }

  private final Host host;
  private final Limits limits;
  private final Handler handler;
  private final Supplier<Map<String, String>> commonHeaders;
  private final Path engineSocket;
  private final Bodies bodies;
  private final Set<Wire> open = ConcurrentHashMap.newKeySet();
  private final List<ServerSocketChannel> listeners = new ArrayList<>();
  private final List<Path> socketFiles = new ArrayList<>();
  private final List<SocketAddress> bound = new ArrayList<>();
  private volatile boolean closed;

  public FrontDoor(Host host, Limits limits, Path engineSocket, Supplier<Map<String, String>> commonHeaders, Handler handler) {
    this.host = host;
    this.limits = limits;
    this.engineSocket = engineSocket;
    this.commonHeaders = commonHeaders;
    this.handler = handler;
    this.bodies = new Bodies(limits);
  }

  /** Listens on the address too. Throws IOException with the reason when it cannot. */
  public void listen(Address address) throws IOException {
    ServerSocketChannel listener =
        switch (address) {
          case Address.UnixSocket socket -> unix(socket.path());
          case Address.Loopback loopback -> tcp(loopback.socket());
        };
    listeners.add(listener);
    bound.add(listener.getLocalAddress());
    boolean local = address instanceof Address.UnixSocket;
    host.thread("control-api-accept-" + (local ? "unix" : "tcp"), () -> accept(listener, local));
    if (listeners.size() == 1) {
      sweep();
    }
  }

  /** The addresses in use; a port 0 that was asked for is the real one here. */
  public List<SocketAddress> addresses() {
    return List.copyOf(bound);
  }

  public int connections() {
    return open.size();
  }

  private static ServerSocketChannel tcp(InetSocketAddress address) throws IOException {
    ServerSocketChannel listener = ServerSocketChannel.open();
    try {
      return listener.bind(address, BACKLOG);
    } catch (IOException e) {
      listener.close();
      throw new IOException("cannot listen on tcp://" + address + ": " + e.getMessage(), e);
    }
  }

  private ServerSocketChannel unix(Path path) throws IOException {
    Files.createDirectories(path.getParent());
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      if (answers(path)) {
        throw new IOException("another program already answers on " + path);
      }
      Files.delete(path);
    }
    ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      listener.bind(UnixDomainSocketAddress.of(path), BACKLOG);
      PosixFileAttributeView file = Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
      boolean shared = giveToDockerGroup(path, file);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(shared ? "rw-rw----" : "rw-------"));
      socketFiles.add(path);
      return listener;
    } catch (IOException e) {
      listener.close();
      throw new IOException("cannot listen on unix://" + path + ": " + e.getMessage(), e);
    }
  }

  /** @return false when the socket's group is one that has no business here */
  private static boolean giveToDockerGroup(Path path, PosixFileAttributeView file) throws IOException {
    try {
      file.setGroup(path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByGroupName("docker"));
    } catch (UserPrincipalNotFoundException _) {
      LOG.info("there is no group docker: only this user may open {}", path);
      return true;
    } catch (FileSystemException refused) { // who is neither root nor in the group cannot share with it
      LOG.info("the group docker is not ours to give ({}): only this user may open {}", refused.getReason(), path);
      return false;
    }
    return true;
  }

  private static boolean answers(Path path) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      return channel.isConnected();
    } catch (IOException _) { // refused, or not a socket: what is left of an earlier process
      return false;
    }
  }

  private void accept(ServerSocketChannel listener, boolean local) {
    while (!closed) {
      try {
        SocketChannel channel = listener.accept();
        Wire wire = new Wire(channel);
        if (open.size() >= limits.connections()) {
          refuse(wire);
          continue;
        }
        open.add(wire);
        spawn("control-api-connection", new Connection(this, wire, local));
      } catch (ClosedChannelException _) {
        return;
      } catch (IOException e) {
        LOG.warn("cannot accept API connections for the moment: {}", e.getMessage());
        if (!pause()) {
          return;
        }
      }
    }
  }

  private static boolean pause() {
    try {
      Thread.sleep(OUT_OF_FILES);
      return true;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void refuse(Wire wire) throws IOException {
    try (wire) {
      wire.write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** Blocking channels have no time-outs: once a second whoever is late is hung up on. */
  private void sweep() {
    for (Wire wire : open) {
      if (wire.overdue()) {
        wire.close();
      }
    }
    if (!closed) {
      host.after(SWEEP, this::sweep);
    }
  }

  Reply handle(Request request) throws IOException, MalformedRequest, InterruptedException {
    return handler.handle(request);
  }

  Wire dialEngine() throws IOException {
    return new Wire(SocketChannel.open(UnixDomainSocketAddress.of(engineSocket)));
  }

  Thread spawn(String name, Runnable body) {
    return host.blocking(name, body);
  }

  Bodies bodies() {
    return bodies;
  }

  Limits limits() {
    return limits;
  }

  Clock clock() {
    return host.clock();
  }

  Map<String, String> commonHeaders() {
    return commonHeaders.get();
  }

  void closed(Wire wire) {
    open.remove(wire);
  }

  /** Stops listening and hangs up on everybody. */
  @Override
  public void close() throws IOException {
    closed = true; // the sweeper sees it and ends
    for (ServerSocketChannel listener : listeners) {
      listener.close();
    }
    for (Path file : socketFiles) {
      Files.deleteIfExists(file);
    }
    open.forEach(Wire::close);
  }
}
