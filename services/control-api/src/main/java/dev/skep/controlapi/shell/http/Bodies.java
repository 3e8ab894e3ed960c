package dev.skep.controlapi.shell.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Reads request bodies, one and all together within the limits. */
final class Bodies {
  private static final int KIB = 1 << 10;
  private static final int MAX_CHUNK_LINE = 256;

  private final Limits limits;
  private final Semaphore budget; // in KiB

  Bodies(Limits limits) {
    this.limits = limits;
    this.budget = new Semaphore(limits.bodiesBytes() / KIB, true);
  }

  /** A body's share of the budget; given back when the request is answered. */
  final class Share implements AutoCloseable {
    private int taken;

    private void take(long bytes) throws MalformedRequest, InterruptedException {
      int wanted = (int) Math.min(limits.bodiesBytes() / KIB, bytes / KIB + 1);
      if (!budget.tryAcquire(wanted, limits.body().toMillis(), TimeUnit.MILLISECONDS)) {
        throw new MalformedRequest(503, "too many large requests at once");
      }
      taken = wanted;
    }

    @Override
    public void close() {
      budget.release(taken);
      taken = 0;
    }
  }

  Share share() {
    return new Share();
  }

  byte[] read(Wire wire, Head head, Share share) throws IOException, MalformedRequest, InterruptedException {
    Head.Framing framing = head.framing();
    switch (framing) {
      case Head.Framing.Length(long bytes) when bytes > limits.bodyBytes() -> throw tooLarge();
      case Head.Framing.Length(long bytes) -> share.take(bytes);
      case Head.Framing.Chunked _ -> share.take(limits.bodyBytes());
    }
    if (head.lists("Expect", "100-continue") && wire.available() == 0) {
      wire.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }
    wire.within(limits.body());
    return switch (framing) {
      case Head.Framing.Length(long bytes) -> exactly(wire, (int) bytes);
      case Head.Framing.Chunked _ -> chunks(wire);
    };
  }

  /** Memory is taken as the bytes come, not as they are promised. */
  private static byte[] exactly(Wire wire, int length) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream(Math.min(length, 8 * KIB));
    copy(wire, length, body);
    return body.toByteArray();
  }

  private byte[] chunks(Wire wire) throws IOException, MalformedRequest {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    while (true) {
      String line = line(wire);
      int semicolon = line.indexOf(';');
      String size = (semicolon < 0 ? line : line.substring(0, semicolon)).strip();
      if (!size.matches("[0-9a-fA-F]{1,8}")) {
        throw new MalformedRequest(400, "malformed chunked encoding");
      }
      long length = Long.parseLong(size, 16);
      if (body.size() + length > limits.bodyBytes()) {
        throw tooLarge();
      }
      if (length == 0) {
        for (int trailers = 0; !line(wire).isEmpty(); trailers++) {
          if (trailers == MAX_CHUNK_LINE) {
            throw new MalformedRequest(400, "too many trailers");
          }
        }
        return body.toByteArray();
      }
      copy(wire, (int) length, body);
      if (!line(wire).isEmpty()) {
        throw new MalformedRequest(400, "malformed chunked encoding");
      }
    }
  }

  private static void copy(Wire wire, int length, ByteArrayOutputStream into) throws IOException {
    byte[] piece = new byte[8 * KIB];
    for (int left = length; left > 0; ) {
      int read = wire.read(piece, 0, Math.min(left, piece.length));
      if (read < 0) {
        throw new IOException("the client left in the middle of a body");
      }
      into.write(piece, 0, read);
      left -= read;
    }
  }

  private static String line(Wire wire) throws IOException, MalformedRequest {
    for (int length = 0; length <= MAX_CHUNK_LINE; length++) {
      if (length == wire.available() && !wire.fill()) {
        throw new IOException("the client left in the middle of a body");
      }
      if (wire.at(length) == '\n') {
        String line = new String(wire.take(length + 1), StandardCharsets.ISO_8859_1);
        return line.strip();
      }
    }
    throw new MalformedRequest(400, "malformed chunked encoding");
  }

  private MalformedRequest tooLarge() {
    return new MalformedRequest(413, "request body is larger than " + limits.bodyBytes() + " bytes");
  }
}
