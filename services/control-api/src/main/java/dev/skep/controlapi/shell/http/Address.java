package dev.skep.controlapi.shell.http;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Where the API listens. */
public sealed interface Address {
  /** The longest path that fits into a unix socket's address. */
  int MAX_SOCKET_PATH = 107;

  record UnixSocket(Path path) implements Address {}

  record Loopback(InetSocketAddress socket) implements Address {}

  /** Reads {@code unix:///…} or {@code tcp://127.0.0.1:…}; throws IllegalArgumentException with the reason. */
  static Address parse(String text) {
    if (text.startsWith("unix://")) {
      Path path = Path.of(text.substring("unix://".length()));
      if (!path.isAbsolute()) {
        throw new IllegalArgumentException(text + ": a unix socket needs an absolute path, as in unix:///run/skep/docker.sock");
      }
      if (path.toString().getBytes(StandardCharsets.UTF_8).length > MAX_SOCKET_PATH) {
        throw new IllegalArgumentException(text + ": a unix socket's path has at most " + MAX_SOCKET_PATH + " bytes");
      }
      return new UnixSocket(path);
    }
    if (text.startsWith("tcp://")) {
      URI uri = URI.create(text);
      if (uri.getHost() == null || uri.getPort() < 0) {
        throw new IllegalArgumentException(text + ": expected tcp://ADDRESS:PORT");
      }
      InetAddress address = loopback(text, uri.getHost());
      return new Loopback(new InetSocketAddress(address, uri.getPort()));
    }
    throw new IllegalArgumentException(text + ": expected unix:///PATH or tcp://127.0.0.1:PORT");
  }

  private static InetAddress loopback(String text, String host) {
    if (host.equalsIgnoreCase("localhost")) {
      return InetAddress.getLoopbackAddress();
    }
    InetAddress address = InetAddress.ofLiteral(host.replaceAll("^\\[|\\]$", ""));
    if (!address.isLoopbackAddress()) {
      throw new IllegalArgumentException(
          text + ": without TLS the API listens on loopback only; TLS with client certificates is not built yet");
    }
    return address;
  }
}
