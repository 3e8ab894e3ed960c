package dev.skep.controlapi.shell;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** An engine that knows a few answers by path (without version and query) and has no page for anything else. */
final class FakeEngine implements AutoCloseable {
  private final ServerSocketChannel server;
  private final Map<String, String> answers;

  private FakeEngine(ServerSocketChannel server, Map<String, String> answers) {
    this.server = server;
    this.answers = Map.copyOf(answers);
  }

  static FakeEngine start(Path socket, Map<String, String> answers) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    FakeEngine engine = new FakeEngine(server, answers);
    Thread.startVirtualThread(engine::serve);
    return engine;
  }

  private void serve() {
    try {
      while (true) {
        try (SocketChannel client = server.accept()) {
          answer(client);
        }
      }
    } catch (ClosedChannelException _) {
      return; // the test is over
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void answer(SocketChannel client) throws IOException {
    StringBuilder head = new StringBuilder();
    ByteBuffer piece = ByteBuffer.allocate(4096);
    while (head.indexOf("\r\n\r\n") < 0 && client.read(piece) >= 0) {
      head.append(StandardCharsets.ISO_8859_1.decode(piece.flip()));
      piece.clear();
    }
    String[] request = head.toString().split(" ", 3);
    String path = request.length < 2 ? "" : request[1].replaceFirst("\\?.*", "").replaceFirst("^/v[0-9.]+", "");
    String body = answers.get(path);
    String text = body == null ? "{\"message\":\"no such thing on the engine\"}" : body;
    String reply = "HTTP/1.1 " + (body == null ? "404 Not Found" : "200 OK") + "\r\nContent-Type: application/json\r\nContent-Length: "
        + text.length() + "\r\nConnection: close\r\n\r\n" + text;
    ByteBuffer bytes = ByteBuffer.wrap(reply.getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      client.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
