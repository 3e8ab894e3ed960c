package dev.skep.agent.core;

import dev.skep.state.Subnet;

/** The MAC that every node derives from an endpoint's address, so that it is known before the container exists. */
public final class MacAddress {
  private MacAddress() {}

  public static String of(String address) {
    long a = Subnet.addressOf(address);
    return String.format("02:42:%02x:%02x:%02x:%02x", a >>> 24, a >>> 16 & 255, a >>> 8 & 255, a & 255);
  }
}
