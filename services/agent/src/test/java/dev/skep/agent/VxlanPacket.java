package dev.skep.agent;

import dev.skep.agent.core.MacAddress;
import dev.skep.state.Subnet;
import java.nio.ByteBuffer;

/** A UDP packet to a closed port of a container, in a VXLAN frame. */
final class VxlanPacket {
  private static final int UDP = 17;
  private static final int CLOSED_PORT = 7777;

  private VxlanPacket() {}

  /** The payload of the outer UDP packet, for printf. */
  static String escaped(int vni, String to) {
    ByteBuffer frame = ByteBuffer.allocate(8 + 14 + 20 + 8 + 4);
    frame.putInt(0x08000000).putInt(vni << 8);
    mac(frame, MacAddress.of(to));
    mac(frame, "02:42:0a:00:63:63");
    frame.putShort((short) 0x0800);
    int header = frame.position();
    frame.putShort((short) 0x4500).putShort((short) 32).putInt(0).put((byte) 64).put((byte) UDP).putShort((short) 0);
    int from = (int) (Subnet.addressOf(to) & 0xFFFF_FF00L | 99);
    frame.putInt(from).putInt((int) Subnet.addressOf(to));
    int sum = 0;
    for (int i = 0; i < 20; i += 2) {
      sum += frame.getShort(header + i) & 0xFFFF;
    }
    frame.putShort(header + 10, (short) ~((sum & 0xFFFF) + (sum >>> 16)));
    frame.putShort((short) CLOSED_PORT).putShort((short) CLOSED_PORT).putShort((short) 12).putShort((short) 0).putInt(0x666F7267);
    StringBuilder text = new StringBuilder();
    for (byte b : frame.array()) {
      text.append(String.format("\\%03o", b & 255));
    }
    return text.toString();
  }

  private static void mac(ByteBuffer frame, String mac) {
    for (String part : mac.split(":")) {
      frame.put((byte) Integer.parseInt(part, 16));
    }
  }
}
