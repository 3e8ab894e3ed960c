package dev.skep.agent;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** A socket in front of an engine's that can hold up the engine's lists of containers. Everything else passes at once. */
final class LateLists implements AutoCloseable {
  private static final int CHUNK = 16 << 10;

  private final Path engine;
  private final Path socket;
  private final ServerSocketChannel server;
  private final List<SocketChannel> open = new CopyOnWriteArrayList<>();
  private final CountDownLatch listed = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private volatile boolean holding;

  LateLists(Path engine, Path socket) throws IOException {
    this.engine = engine;
    this.socket = socket;
    this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(socket));
    Thread.ofVirtual().start(this::accept);
  }

  Path socket() {
    return socket;
  }

  /** Lists that are asked for from now on are made by the engine at once, and are not passed on before the release. */
  void hold() {
    holding = true;
  }

  void awaitHeld() throws InterruptedException {
    listed.await(); // the test's time-out ends it
  }

  void release() {
    holding = false;
    released.countDown();
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel client = server.accept();
        SocketChannel behind = SocketChannel.open(UnixDomainSocketAddress.of(engine));
        open.addAll(List.of(client, behind));
        Connection connection = new Connection(client, behind);
        Thread.ofVirtual().start(connection::up);
        Thread.ofVirtual().start(connection::down);
      }
    } catch (IOException e) {
      // closed
    }
  }

  private final class Connection {
    private final SocketChannel client;
    private final SocketChannel behind;
    private volatile boolean list;

    Connection(SocketChannel client, SocketChannel behind) {
      this.client = client;
      this.behind = behind;
    }

    private void up() {
      try (client; behind) {
        ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
        while (client.read(buffer) >= 0) {
          buffer.flip();
          list = StandardCharsets.ISO_8859_1.decode(buffer.duplicate()).toString().contains("/containers/json?");
          while (buffer.hasRemaining()) {
            behind.write(buffer);
          }
          buffer.clear();
        }
      } catch (IOException e) {
        // one side has gone
      }
    }

    private void down() {
      try (client; behind) {
        ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
        while (behind.read(buffer) >= 0) {
          buffer.flip();
          if (list && holding) {
            listed.countDown();
            released.await();
          }
          while (buffer.hasRemaining()) {
            client.write(buffer);
          }
          buffer.clear();
        }
      } catch (IOException | InterruptedException e) {
        // one side has gone
      }
    }
  }

  @Override
  public void close() throws IOException {
    release();
    server.close();
    for (SocketChannel channel : open) {
      channel.close();
    }
  }
}
