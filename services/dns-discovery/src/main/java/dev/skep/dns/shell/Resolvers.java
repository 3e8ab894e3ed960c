package dev.skep.dns.shell;

import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Addresses of other resolvers, as they stand in configuration. */
public final class Resolvers {
  private static final int PORT = 53;

  private Resolvers() {}

  /** {@code 10.0.0.53}, {@code 10.0.0.53:5353}, {@code fd00::53}, {@code [fd00::53]:5353}. Anything else is left out. */
  public static List<InetSocketAddress> parse(List<String> texts) {
    List<InetSocketAddress> found = new ArrayList<>();
    for (String text : texts) {
      String host = text.strip();
      int port = PORT;
      int colon = host.lastIndexOf(':');
      boolean withPort = host.startsWith("[") ? host.indexOf("]:") > 0 : colon >= 0 && colon == host.indexOf(':');
      if (withPort) {
        port = port(host.substring(colon + 1));
        host = host.substring(0, colon);
      }
      if (host.startsWith("[") && host.endsWith("]")) {
        host = host.substring(1, host.length() - 1);
      }
      byte[] address = NetUtil.createByteArrayFromIpAddressString(host);
      if (address != null && port > 0) {
        found.add(new InetSocketAddress(inet(address), port));
      }
    }
    return List.copyOf(found);
  }

  /** The name servers of a resolv.conf; none when it cannot be read. */
  public static List<String> ofResolvConf(Path file) {
    try {
      return Files.readAllLines(file).stream()
          .map(line -> line.strip().split("\\s+"))
          .filter(words -> words.length >= 2 && words[0].equals("nameserver"))
          .map(words -> words[1])
          .toList();
    } catch (IOException unreadable) {
      return List.of();
    }
  }

  private static int port(String text) {
    try {
      int port = Integer.parseInt(text);
      return port > 0 && port < 65_536 ? port : 0;
    } catch (NumberFormatException notANumber) {
      return 0;
    }
  }

  private static InetAddress inet(byte[] address) {
    try {
      return InetAddress.getByAddress(address);
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException(impossible); // four or sixteen bytes always are an address
    }
  }
}
