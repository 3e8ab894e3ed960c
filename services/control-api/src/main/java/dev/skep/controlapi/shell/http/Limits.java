package dev.skep.controlapi.shell.http;

import java.time.Duration;

/**
 * What one client, and all together, may take.
 *
 * @param connections open at once; the next one is told so and closed
 * @param headBytes of one request
 * @param bodyBytes of a request that this server reads itself; passed-through bodies have no limit
 * @param bodiesBytes of all bodies that are being read at once; who comes later waits
 * @param head from the first byte of a head to its last
 * @param body from the end of the head to the end of the body
 * @param idle between two requests of a connection
 * @param reply for a client that does not read its answer
 */
public record Limits(
    int connections, int headBytes, int bodyBytes, int bodiesBytes, Duration head, Duration body, Duration idle, Duration reply) {

  public static final Limits DEFAULT =
      new Limits(
          4096, 64 << 10, 10 << 20, 12 << 20, Duration.ofSeconds(10), Duration.ofSeconds(60), Duration.ofMinutes(10),
              Duration.ofSeconds(60));
}
