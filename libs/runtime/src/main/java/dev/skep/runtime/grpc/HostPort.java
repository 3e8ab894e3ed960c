package dev.skep.runtime.grpc;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Addresses as text: {@code host:port}, {@code [v6]:port}. */
public final class HostPort {
  private static final int HIGHEST = 65_535;

  private HostPort() {}

  /** Resolves names, so it may block. Throws IllegalArgumentException with the reason when it is no address. */
  public static InetSocketAddress parse(String text, int defaultPort) {
    int colon = text.lastIndexOf(':');
    boolean named = colon >= 0 && (text.indexOf(':') == colon || text.charAt(0) == '[' && text.charAt(colon - 1) == ']');
    String host = named ? text.substring(0, colon) : text;
    host = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    int port = defaultPort;
    try {
      port = named ? Integer.parseInt(text.substring(colon + 1)) : defaultPort;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("invalid port in address '" + text + "'", e);
    }
    if (port < 0 || port > HIGHEST) {
      throw new IllegalArgumentException("invalid port in address '" + text + "'");
    }
    return host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
  }

  public static String of(String host, int port) {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }

  static String of(InetSocketAddress address) {
    InetAddress host = address.getAddress();
    if (host == null) {
      return of(address.getHostString(), address.getPort());
    }
    boolean any = host instanceof Inet6Address && host.isAnyLocalAddress(); // IPv4 is served there, too
    return of(any ? "0.0.0.0" : host.getHostAddress(), address.getPort());
  }
}
