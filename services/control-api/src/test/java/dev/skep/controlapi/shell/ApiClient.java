package dev.skep.controlapi.shell;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** One request per connection, and the whole answer as text, head included. */
record ApiClient(Path socket) {
  String get(String path) throws IOException {
    return call("GET", path, "");
  }

  String call(String method, String path, String body) throws IOException {
    int length = body.getBytes(StandardCharsets.UTF_8).length;
    String head = method + " " + path + " HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: " + length + "\r\n\r\n";
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      ByteBuffer request = ByteBuffer.wrap((head + body).getBytes(StandardCharsets.UTF_8));
      while (request.hasRemaining()) {
        channel.write(request);
      }
      StringBuilder text = new StringBuilder();
      ByteBuffer piece = ByteBuffer.allocate(8192);
      while (channel.read(piece) >= 0) {
        text.append(StandardCharsets.UTF_8.decode(piece.flip()));
        piece.clear();
      }
      return text.toString();
    }
  }
}
