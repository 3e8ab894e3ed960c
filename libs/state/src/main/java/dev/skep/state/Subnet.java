package dev.skep.state;

/** An IPv4 subnet. Addresses are unsigned 32-bit numbers in a long. */
public record Subnet(long base, int prefixLength) {
  private static final long ALL = 0xFFFF_FFFFL;

  public Subnet {
    if (prefixLength < 0 || prefixLength > 32) {
      throw new IllegalArgumentException("prefix length " + prefixLength);
    }
    base &= mask(prefixLength);
  }

  /** Reads {@code 10.0.1.0/24}; host bits are cut off. */
  public static Subnet parse(String cidr) {
    int slash = cidr.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException("not a subnet: " + cidr);
    }
    return new Subnet(addressOf(cidr.substring(0, slash)), Integer.parseInt(cidr, slash + 1, cidr.length(), 10));
  }

  /** Reads a dotted quad, of which a prefix length may follow. */
  public static long addressOf(String text) {
    long address = 0;
    int part = -1;
    int parts = 0;
    for (int i = 0; i <= text.length(); i++) {
      char c = i < text.length() ? text.charAt(i) : '/';
      if (c >= '0' && c <= '9') {
        part = (part < 0 ? 0 : part * 10) + (c - '0');
        if (part > 255) {
          throw new IllegalArgumentException("not an address: " + text);
        }
      } else if ((c == '.' || c == '/') && part >= 0) {
        address = address << 8 | part;
        part = -1;
        parts++;
        if (c == '/') {
          break;
        }
      } else {
        throw new IllegalArgumentException("not an address: " + text);
      }
    }
    if (parts != 4) {
      throw new IllegalArgumentException("not an address: " + text);
    }
    return address;
  }

  public static String text(long address) {
    return (address >>> 24 & 255) + "." + (address >>> 16 & 255) + "." + (address >>> 8 & 255) + "." + (address & 255);
  }

  public long last() {
    return base | ALL & ~mask(prefixLength);
  }

  public boolean contains(long address) {
    return address >= base && address <= last();
  }

  public boolean overlaps(Subnet other) {
    return base <= other.last() && other.base <= last();
  }

  /** One of its addresses with the prefix length behind it, as interfaces are configured. */
  public String interfaceText(long address) {
    return text(address) + "/" + prefixLength;
  }

  @Override
  public String toString() {
    return text(base) + "/" + prefixLength;
  }

  private static long mask(int prefixLength) {
    return prefixLength == 0 ? 0 : ALL << 32 - prefixLength & ALL;
  }
}
