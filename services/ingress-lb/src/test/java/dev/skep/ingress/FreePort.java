package dev.skep.ingress;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ports for a test, each handed out once. None that the kernel may give to a connection of anybody's meanwhile: those
 * begin at 32768. Every process begins elsewhere, so that two runs on one machine do not meet.
 */
public final class FreePort {
  private static final int FIRST = 20_000;
  private static final int COUNT = 12_000;
  private static final AtomicInteger NEXT = new AtomicInteger(new Random().nextInt(COUNT));

  private FreePort() {}

  public static int find() {
    for (int tries = 0; tries < COUNT; tries++) {
      int port = FIRST + NEXT.getAndIncrement() % COUNT;
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
