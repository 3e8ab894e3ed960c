package dev.skep.dns.core;

/** IPv4 addresses as numbers. */
public final class Addresses {
  private Addresses() {}

  /** 0 when the text is not an IPv4 address. */
  public static int parse(String text) {
    int value = 0;
    int part = -1;
    int dots = 0;
    for (int at = 0; at < text.length(); at++) {
      char c = text.charAt(at);
      if (c == '.' && part >= 0 && dots < 3) {
        value = value << 8 | part;
        part = -1;
        dots++;
      } else if (c >= '0' && c <= '9') {
        part = Math.max(part, 0) * 10 + (c - '0');
        if (part > 255) {
          return 0;
        }
      } else {
        return 0;
      }
    }
    return dots == 3 && part >= 0 ? value << 8 | part : 0;
  }

  public static String text(int address) {
    return (address >>> 24) + "." + (address >>> 16 & 255) + "." + (address >>> 8 & 255) + "." + (address & 255);
  }

  /** The address that a reverse name like {@code 1.0.0.10.in-addr.arpa} asks about; 0 when it is none. */
  static int ofReverseName(String name) {
    String suffix = ".in-addr.arpa";
    if (!name.endsWith(suffix)) {
      return 0;
    }
    return Integer.reverseBytes(parse(name.substring(0, name.length() - suffix.length())));
  }
}
