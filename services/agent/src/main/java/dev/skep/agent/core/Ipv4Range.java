package dev.skep.agent.core;

/** An IPv4 network. */
public record Ipv4Range(int base, int bits) {
  public static Ipv4Range parse(String cidr) {
    int slash = cidr.indexOf('/');
    int bits = slash < 0 ? 32 : Integer.parseInt(cidr.substring(slash + 1));
    if (bits < 0 || bits > 32) {
      throw new IllegalArgumentException("not a network: " + cidr);
    }
    return new Ipv4Range(address(slash < 0 ? cidr : cidr.substring(0, slash)) & mask(bits), bits);
  }

  public static int address(String dotted) {
    String[] parts = dotted.split("\\.", -1);
    if (parts.length != 4) {
      throw new IllegalArgumentException("not an IPv4 address: " + dotted);
    }
    int value = 0;
    for (String part : parts) {
      int octet = Integer.parseInt(part);
      if (octet < 0 || octet > 255) {
        throw new IllegalArgumentException("not an IPv4 address: " + dotted);
      }
      value = value << 8 | octet;
    }
    return value;
  }

  public boolean overlaps(Ipv4Range other) {
    int shorter = mask(Math.min(bits, other.bits));
    return (base & shorter) == (other.base & shorter);
  }

  /** The MAC that every node derives from an endpoint's address, so that it is known before the container exists. */
  public static String mac(String address) {
    int a = address(address);
    return String.format("02:42:%02x:%02x:%02x:%02x", a >>> 24, a >>> 16 & 255, a >>> 8 & 255, a & 255);
  }

  private static int mask(int bits) {
    return bits == 0 ? 0 : -1 << (32 - bits);
  }

  @Override
  public String toString() {
    return (base >>> 24) + "." + (base >>> 16 & 255) + "." + (base >>> 8 & 255) + "." + (base & 255) + "/" + bits;
  }
}
