package dev.skep.dispatcher.core;

import java.util.Map;

/** The driver options of an overlay that nodes act on, read the way Docker's overlay driver reads them. */
final class NetworkOptions {
  private static final String MTU = "com.docker.network.driver.mtu";
  private static final String ENCRYPTED = "encrypted";
  private static final int SMALLEST_MTU = 68;
  private static final int LARGEST_MTU = 65_535;

  private NetworkOptions() {}

  /** 0 when the user asked for none, or for something that is no MTU. */
  static int mtu(Map<String, String> options) {
    try {
      int mtu = Integer.parseInt(options.getOrDefault(MTU, "0"));
      return mtu >= SMALLEST_MTU && mtu <= LARGEST_MTU ? mtu : 0;
    } catch (NumberFormatException e) {
      return 0; // control-api refuses it where it enters; an older row must not stop a node
    }
  }

  /** Present without a value means yes, as {@code --opt encrypted} sends it. */
  static boolean encrypted(Map<String, String> options) {
    String value = options.get(ENCRYPTED);
    return value != null && !value.equalsIgnoreCase("false") && !value.equals("0");
  }
}
