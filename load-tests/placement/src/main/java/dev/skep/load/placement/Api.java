package dev.skep.load.placement;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The Docker API as the command line uses it: one connection a call. */
final class Api {
  static final String NETWORK = "bench";
  private static final String SERVICE = """
      {"Name":"%s","TaskTemplate":{"ContainerSpec":{"Image":"bench:1","Args":["serve"]},"Networks":[{"Target":"%s"}]},
       "Mode":{"Replicated":{"Replicas":%d}}}""";

  private final Path socket;

  Api(Path socket) {
    this.socket = socket;
  }

  void createNetwork() throws IOException {
    done("POST", "/networks/create", """
        {"Name":"%s","Driver":"overlay","CheckDuplicate":true,"IPAM":{"Driver":"default","Config":[{"Subnet":"10.128.0.0/14"}]}}""".formatted(NETWORK));
  }

  /** Returns when the API has answered that the service is stored. */
  void create(String name, int replicas) throws IOException {
    done("POST", "/services/create", SERVICE.formatted(name, NETWORK, replicas));
  }

  void remove(String name) throws IOException {
    done("DELETE", "/services/" + name, "");
  }

  private void done(String method, String path, String body) throws IOException {
    String answer = call(method, path, body);
    if (!answer.startsWith("HTTP/1.1 20")) {
      throw new IllegalStateException(method + " " + path + " brought " + answer);
    }
  }

  private String call(String method, String path, String body) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      String request = method + " /v1.41" + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
          + "Content-Length: " + body.length() + "\r\n\r\n" + body;
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      ByteBuffer part = ByteBuffer.allocate(1 << 13);
      while (channel.read(part) >= 0) {
        answer.write(part.array(), 0, part.position());
        part.clear();
      }
      return answer.toString(StandardCharsets.UTF_8);
    }
  }
}
