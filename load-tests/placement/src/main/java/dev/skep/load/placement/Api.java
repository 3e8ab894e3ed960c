package dev.skep.load.placement;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The Docker API as the command line uses it: one connection a call. */
final class Api {
  static final String NETWORK = "bench";
  private static final String SERVICE = """
      {"Name":"%s","TaskTemplate":{"ContainerSpec":{"Image":"bench:1","Args":["serve"]},"Networks":[{"Target":"%s"}]},
       "Mode":{"Replicated":{"Replicas":%d}}}""";

  private static final long AGAIN_MILLIS = 500;

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

  /** As somebody who wants it to be there, whatever the store says now: until it is. */
  void createAtLast(String name, int replicas) throws Exception {
    atLast("POST", "/services/create", SERVICE.formatted(name, NETWORK, replicas), "409");
  }

  void removeAtLast(String name) throws Exception {
    atLast("DELETE", "/services/" + name, "", "404");
  }

  /** @param there the status that says that it is done already */
  private void atLast(String method, String path, String body, String there) throws Exception {
    String answer = call(method, path, body);
    for (; answer.startsWith("HTTP/1.1 503"); answer = call(method, path, body)) {
      TimeUnit.MILLISECONDS.sleep(AGAIN_MILLIS);
    }
    if (!answer.startsWith("HTTP/1.1 20") && !answer.startsWith("HTTP/1.1 " + there)) {
      throw new IllegalStateException(method + " " + path + " brought " + answer);
    }
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
