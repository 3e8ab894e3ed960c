package dev.skep.testkit.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Free ports below those that the kernel gives to outgoing connections: a server that is down for a while must find its
 * port free again, and who knocks at it meanwhile must not be connected with itself.
 */
public final class Ports {
  private static final int FIRST = 20_000;
  private static final int BEYOND = 32_000;

  private Ports() {}

  public static List<Integer> free(int count) {
    List<Integer> found = new ArrayList<>();
    List<ServerSocket> held = new ArrayList<>();
    try {
      for (int tries = 0; found.size() < count && tries < 1_000; tries++) {
        int port = ThreadLocalRandom.current().nextInt(FIRST, BEYOND);
        try {
          held.add(new ServerSocket(port, 1, InetAddress.getLoopbackAddress()));
          found.add(port);
        } catch (IOException e) {
          // somebody has it
        }
      }
    } finally {
      for (ServerSocket socket : held) {
        try {
          socket.close();
        } catch (IOException e) {
          throw new AssertionError(e);
        }
      }
    }
    if (found.size() < count) {
      throw new AssertionError("no free ports between " + FIRST + " and " + BEYOND);
    }
    return found;
  }
}
