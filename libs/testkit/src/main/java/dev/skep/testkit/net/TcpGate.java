package dev.skep.testkit.net;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/**
 * A TCP proxy on loopback that can hold up what clients send: it arrives late, when the client has long given up. What
 * servers send always passes.
 */
public final class TcpGate implements AutoCloseable {
  private static final int CHUNK = 16 << 10;

  private final int target;
  private final ServerSocket server;
  private final List<Connection> connections = new CopyOnWriteArrayList<>();
  private volatile boolean closed;

  private TcpGate(int port, int target) throws IOException {
    this.target = target;
    this.server = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
  }

  public static TcpGate to(int port) throws IOException {
    return to(Ports.free(1).getFirst(), port);
  }

  /** At a port of the caller's choice: one that was closed before can be opened again. */
  public static TcpGate to(int gatePort, int port) throws IOException {
    TcpGate gate = new TcpGate(gatePort, port);
    Thread.ofPlatform().daemon().name("gate-accept").start(gate::accept);
    return gate;
  }

  public int port() {
    return server.getLocalPort();
  }

  private void accept() {
    while (!closed) {
      try {
        Socket client = server.accept();
        Connection connection = new Connection(client, new Socket(InetAddress.getLoopbackAddress(), target));
        connections.add(connection);
        Thread.ofPlatform().daemon().name("gate-up").start(connection::up);
        Thread.ofPlatform().daemon().name("gate-down").start(connection::down);
      } catch (IOException e) {
        // closed, or the server is not there: the client sees it
      }
    }
  }

  /** What clients send from now on over the connections that there are stays here. New connections are not held. */
  public void hold() {
    connections.forEach(Connection::hold);
  }

  /** Waits until a piece with this text is held, and remembers how far that is. */
  public void awaitHeld(String text) {
    while (connections.stream().noneMatch(connection -> connection.mark(text))) {
      LockSupport.parkNanos(1_000_000); // the test's time-out ends it
    }
  }

  /** Lets through what was held up to the remembered piece, and waits until the server says something to it. What came later is still held. */
  public void releaseHeld() throws IOException {
    for (Connection connection : connections) {
      connection.releaseMarked();
    }
  }

  @Override
  public void close() throws IOException {
    closed = true;
    server.close();
    connections.forEach(Connection::close);
  }

  private static final class Connection {
    private final Socket client;
    private final Socket server;
    private final List<byte[]> held = new ArrayList<>(); // guarded by this
    private boolean holding; // guarded by this
    private int marked; // chunks; guarded by this
    private volatile long answered; // bytes from the server; written by one thread

    private Connection(Socket client, Socket server) {
      this.client = client;
      this.server = server;
    }

    private synchronized void hold() {
      holding = true;
    }

    private synchronized boolean mark(String text) {
      for (int i = 0; i < held.size() && marked == 0; i++) {
        if (new String(held.get(i), StandardCharsets.ISO_8859_1).contains(text)) {
          marked = i + 1;
        }
      }
      return marked > 0;
    }

    private void releaseMarked() throws IOException {
      long before = answered;
      synchronized (this) {
        if (marked == 0) {
          return;
        }
        OutputStream out = server.getOutputStream();
        for (; marked > 0; marked--) {
          out.write(held.removeFirst());
        }
      }
      while (answered == before) {
        LockSupport.parkNanos(1_000_000);
      }
    }

    private synchronized boolean keep(byte[] chunk) {
      if (holding) {
        held.add(chunk);
      }
      return holding;
    }

    private void up() {
      byte[] buffer = new byte[CHUNK];
      try (InputStream in = client.getInputStream()) {
        OutputStream out = server.getOutputStream();
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          if (!keep(Arrays.copyOf(buffer, n))) {
            out.write(buffer, 0, n);
          }
        }
      } catch (IOException e) {
        // one side has gone
      }
      if (!holding()) { // a client that gave up must not take back what is still held
        close();
      }
    }

    private synchronized boolean holding() {
      return holding;
    }

    private void down() {
      byte[] buffer = new byte[CHUNK];
      try (InputStream in = server.getInputStream()) {
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          pass(buffer, n);
          answered += n;
        }
      } catch (IOException e) {
        // the server has gone
      }
      if (!holding()) {
        close();
      }
    }

    private void pass(byte[] buffer, int length) throws IOException {
      try {
        client.getOutputStream().write(buffer, 0, length);
      } catch (IOException e) {
        if (!holding()) {
          throw e;
        }
        // the client gave up and does not hear the answer to what it sent
      }
    }

    private void close() {
      try {
        client.close();
        server.close();
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }
}
