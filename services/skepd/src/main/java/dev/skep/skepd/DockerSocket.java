package dev.skep.skepd;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The Docker API at a socket, one connection a call. */
final class DockerSocket {
  private DockerSocket() {}

  /** The whole answer. */
  static String whole(Path socket, String method, String path, String body) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      String request = method + " /v1.41" + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
          + "Content-Length: " + body.length() + "\r\n\r\n" + body;
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      ByteBuffer part = ByteBuffer.allocate(1 << 16);
      while (channel.read(part) >= 0) {
        answer.write(part.array(), 0, part.position());
        part.clear();
      }
      return answer.toString(StandardCharsets.UTF_8);
    }
  }

  /** Status and body of the answer. */
  static String call(Path socket, String method, String path, String body) throws IOException {
    String answer = whole(socket, method, path, body);
    return answer.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length()) + " " + answer.substring(answer.indexOf("\r\n\r\n") + 4).strip();
  }
}
