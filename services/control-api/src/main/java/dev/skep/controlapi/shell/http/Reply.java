package dev.skep.controlapi.shell.http;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What a handler answers. */
public sealed interface Reply {
  String JSON = "application/json"; // exactly: the docker CLI compares the whole header
  String TEXT = "text/plain; charset=utf-8";

  /** A body that is there. */
  record Whole(int status, String contentType, byte[] body, Map<String, String> headers) implements Reply {}

  /** A body that comes in pieces; the connection ends with it. */
  record Streamed(int status, String contentType, Producer producer) implements Reply {}

  /**
   * The engine answers instead.
   *
   * @param target where to, with the query
   * @param body in place of the client's, which was read already; null when the client's is still on the wire
   */
  record Passed(String target, byte[] body) implements Reply {}

  /** Makes the pieces. Returns when there is nothing more to say or the client is gone. */
  @FunctionalInterface
  interface Producer {
    void produce(Pieces pieces) throws IOException, InterruptedException;
  }

  /** Where the pieces go; each is flushed. */
  interface Pieces {
    void write(byte[] piece) throws IOException;

    /** Runs when the client hangs up: once, on a thread of its own, possibly before this returns. */
    void whenClientLeaves(Runnable action);
  }

  static Reply json(int status, String json) {
    return new Whole(status, JSON, (json + "\n").getBytes(StandardCharsets.UTF_8), Map.of());
  }

  static Reply text(int status, String text) {
    return new Whole(status, TEXT, text.getBytes(StandardCharsets.UTF_8), Map.of());
  }

  static Reply empty(int status) {
    return new Whole(status, null, new byte[0], Map.of());
  }

  /** The error shape of the Docker API. */
  static Reply error(int status, String message) {
    return json(status, "{\"message\":" + JsonText.quoted(message) + "}");
  }
}
