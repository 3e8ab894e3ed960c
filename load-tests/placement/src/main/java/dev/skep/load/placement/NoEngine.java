package dev.skep.load.placement;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** An engine that has nothing of what it is asked for: a new network's name is looked up there. */
final class NoEngine implements AutoCloseable {
  private static final String ANSWER = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 21\r\nConnection: close\r\n\r\n"
      + "{\"message\":\"nothing\"}";

  private final ServerSocketChannel door;

  NoEngine(Path socket) throws IOException {
    door = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    door.bind(UnixDomainSocketAddress.of(socket));
    Thread.ofPlatform().daemon().name("no-engine").start(this::serve);
  }

  private void serve() {
    while (door.isOpen()) {
      try (SocketChannel call = door.accept()) {
        call.read(ByteBuffer.allocate(1 << 14));
        call.write(ByteBuffer.wrap(ANSWER.getBytes(StandardCharsets.UTF_8)));
      } catch (IOException e) {
        // the caller went away, or the door was closed
      }
    }
  }

  @Override
  public void close() throws IOException {
    door.close();
  }
}
