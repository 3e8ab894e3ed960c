package dev.skep.runtime;

import java.io.IOException;

/** Where other hosts reach this one: gRPC over mutual TLS. The host opens it while it is a manager's, and closes it after. */
public interface NetworkDoor {
  /** Swarm's port. */
  int PORT = 2377;

  /**
   * Takes the port, so that whoever founds a cluster learns first whether it can be had. Nothing happens when the door is
   * open there already; port 0 takes any.
   *
   * @return host:port where it is open
   * @throws IOException in Docker's words: {@code listen tcp 0.0.0.0:2377: bind: address already in use}
   */
  String open(String listenAddress) throws IOException;

  /** Gives the port back. Calls under way are cancelled. */
  void close();
}
