import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/** HTTP over a unix socket. */
final class UnixHttp {
  private UnixHttp() {}

  /** One call over a unix socket, one connection each: the same for everyone. */
  static String call(String socket, String method, String path, String body) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      byte[] payload = body == null ? new byte[0] : body.getBytes(StandardCharsets.UTF_8);
      String head = method + " " + path + " HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + payload.length + "\r\n\r\n";
      channel.write(ByteBuffer.wrap(head.getBytes(StandardCharsets.UTF_8)));
      channel.write(ByteBuffer.wrap(payload));
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      ByteBuffer buffer = ByteBuffer.allocate(65536);
      while (channel.read(buffer) >= 0) {
        all.write(buffer.array(), 0, buffer.position());
        buffer.clear();
      }
      String answer = all.toString(StandardCharsets.UTF_8);
      int split = answer.indexOf("\r\n\r\n");
      if (split < 0 || answer.charAt(9) > '3') {
        throw new IOException(method + " " + path + ": " + answer);
      }
      return answer.substring(split + 4);
    }
  }
}
