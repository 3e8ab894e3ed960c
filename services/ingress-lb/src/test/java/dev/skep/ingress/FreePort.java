package dev.skep.ingress;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.util.Random;

/** A port to publish. Not one that the kernel may give to a connection of anybody's meanwhile: those begin at 32768. */
public final class FreePort {
  private static final int FIRST = 20_000;
  private static final int COUNT = 12_000;

  private FreePort() {}

  public static int find() {
    Random random = new Random();
    for (int tries = 0; tries < COUNT; tries++) {
      int port = FIRST + random.nextInt(COUNT);
      try (ServerSocket tcp = new ServerSocket(port);
          DatagramSocket udp = new DatagramSocket(port)) {
        if (tcp.isBound() && udp.isBound()) {
          return port;
        }
      } catch (IOException taken) {
        continue;
      }
    }
    throw new IllegalStateException("no free port");
  }
}
