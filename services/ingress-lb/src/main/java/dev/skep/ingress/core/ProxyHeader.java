package dev.skep.ingress.core;

import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What a backend is told about its client before the first byte: nothing, or the PROXY protocol's header. */
public enum ProxyHeader {
  NONE,
  V1,
  V2;

  private static final byte[] SIGNATURE = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};

  /** The value of the service label {@code skep.ingress.proxy-protocol}; anything else than v1 or v2 means none. */
  public static ProxyHeader fromLabel(String value) {
    return switch (value) {
      case "v1" -> V1;
      case "v2" -> V2;
      default -> NONE;
    };
  }

  /** The header's bytes; both addresses must be of one family. */
  public byte[] bytes(InetSocketAddress client, InetSocketAddress asked) {
    boolean four = client.getAddress() instanceof Inet4Address && asked.getAddress() instanceof Inet4Address;
    return switch (this) {
      case NONE -> new byte[0];
      case V1 ->
          ("PROXY " + (four ? "TCP4 " : "TCP6 ") + text(client) + " " + text(asked) + " " + client.getPort() + " " + asked.getPort() + "\r\n")
              .getBytes(StandardCharsets.US_ASCII);
      case V2 -> {
        byte[] from = client.getAddress().getAddress();
        byte[] to = asked.getAddress().getAddress();
        ByteBuffer header = ByteBuffer.allocate(16 + from.length + to.length + 4);
        header.put(SIGNATURE).put((byte) 0x21).put((byte) (four ? 0x11 : 0x21)).putShort((short) (from.length + to.length + 4));
        header.put(from).put(to).putShort((short) client.getPort()).putShort((short) asked.getPort());
        yield header.array();
      }
    };
  }

  private static String text(InetSocketAddress address) {
    String text = address.getAddress().getHostAddress();
    int scope = text.indexOf('%');
    return scope < 0 ? text : text.substring(0, scope);
  }
}
