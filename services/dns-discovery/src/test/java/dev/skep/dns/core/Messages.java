package dev.skep.dns.core;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** DNS messages for tests, made and read without the code under test. */
public final class Messages {
  /** An answer as the tests look at it. */
  public record Reply(int id, int flags, int code, int answers, List<String> data) {
    public boolean cut() {
      return (flags & 0x0200) != 0;
    }

    public boolean authoritative() {
      return (flags & 0x0400) != 0;
    }
  }

  private Messages() {}

  public static byte[] question(int id, String name, int type) {
    return question(id, name, type, 0);
  }

  /** {@code payload} 0: without EDNS. */
  public static byte[] question(int id, String name, int type, int payload) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    two(out, id);
    two(out, 0x0100);
    two(out, 1);
    two(out, 0);
    two(out, 0);
    two(out, payload == 0 ? 0 : 1);
    for (String label : name.split("\\.")) {
      byte[] bytes = label.getBytes(StandardCharsets.ISO_8859_1);
      out.write(bytes.length);
      out.writeBytes(bytes);
    }
    out.write(0);
    two(out, type);
    two(out, 1);
    if (payload > 0) {
      out.write(0);
      two(out, 41);
      two(out, payload);
      out.writeBytes(new byte[6]);
    }
    return out.toByteArray();
  }

  public static Reply read(byte[] bytes, int length) {
    int at = 12;
    while (bytes[at] != 0) {
      at += 1 + (bytes[at] & 255);
    }
    at += 5;
    int answers = Query.number(bytes, 6);
    List<String> data = new ArrayList<>();
    for (int n = 0; n < answers; n++) {
      at = Query.skipName(bytes, length, at);
      int type = Query.number(bytes, at);
      int size = Query.number(bytes, at + 8);
      at += 10;
      if (type == 1) {
        data.add((bytes[at] & 255) + "." + (bytes[at + 1] & 255) + "." + (bytes[at + 2] & 255) + "." + (bytes[at + 3] & 255));
      } else if (type == 12) {
        StringBuilder name = new StringBuilder();
        for (int p = at; bytes[p] != 0; p += 1 + bytes[p]) {
          name.append(new String(bytes, p + 1, bytes[p], StandardCharsets.ISO_8859_1)).append('.');
        }
        data.add(name.toString());
      }
      at += size;
    }
    return new Reply(Query.number(bytes, 0), Query.number(bytes, 2), bytes[3] & 15, answers, data);
  }

  private static void two(ByteArrayOutputStream out, int value) {
    out.write(value >> 8);
    out.write(value);
  }
}
