package dev.skep.controlapi.shell.http;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves one client's connection, request after request, on its own virtual thread. */
final class Connection implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
  private static final DateTimeFormatter HTTP_DATE = DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
      .withZone(ZoneOffset.UTC);
  private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private final FrontDoor door;
  private final Wire wire;
  private final boolean local;
  private Head current; // the request being served; null before the first

  Connection(FrontDoor door, Wire wire, boolean local) {
    this.door = door;
    this.wire = wire;
    this.local = local;
  }

  @Override
  public void run() {
    boolean more = true;
    try {
      while (more) {
        more = serveOne();
      }
    } catch (IOException _) { // the client hung up, or was hung up on: what it wanted is moot
      LOG.trace("connection lost");
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      wire.close();
      door.closed(wire);
    }
  }

  /** False when the connection is over. */
  private boolean serveOne() throws IOException, InterruptedException {
    try (Bodies.Share share = door.bodies().share()) {
      Optional<Head> head = readHead();
      if (head.isEmpty()) {
        return false;
      }
      current = head.get();
      checkHost(current);
      AtomicBoolean unread = new AtomicBoolean(!current.framing().equals(new Head.Framing.Length(0)));
      Request request = new Request(current, local, () -> unread.getAndSet(false) ? bodyOf(share) : new byte[0]);
      wire.withoutLimit();
      Reply reply = door.handle(request);
      boolean reusable = reply instanceof Reply.Whole && current.keepAlive() && (!unread.get() || drained(share));
      return switch (reply) {
        case Reply.Whole whole -> send(whole, reusable);
        case Reply.Streamed streamed -> stream(streamed);
        case Reply.Passed passed -> pass(passed);
      };
    } catch (MalformedRequest e) {
      send((Reply.Whole) Reply.error(e.status(), e.getMessage()), false);
      lingering();
      return false;
    }
  }

  private byte[] bodyOf(Bodies.Share share) throws IOException, MalformedRequest, InterruptedException {
    return door.bodies().read(wire, current, share);
  }

  private Optional<Head> readHead() throws IOException, MalformedRequest {
    wire.within(door.limits().idle());
    int scanned = 0;
    while (true) {
      if (scanned == 0) {
        while (wire.available() > 0 && (wire.at(0) == '\r' || wire.at(0) == '\n')) {
          wire.skip(1);
        }
      }
      for (; scanned < wire.available() && scanned <= door.limits().headBytes(); scanned++) {
        if (wire.at(scanned) == '\n' && endsHead(scanned)) {
          return Optional.of(Head.parse(wire.take(scanned + 1)));
        }
      }
      if (scanned > door.limits().headBytes()) {
        throw new MalformedRequest(431, "request header fields too large");
      }
      boolean first = wire.available() == 0;
      if (!wire.fill()) {
        return Optional.empty();
      }
      if (first) {
        wire.within(door.limits().head());
      }
    }
  }

  /** The line feed at this place ends an empty line. */
  private boolean endsHead(int index) {
    return index >= 1 && wire.at(index - 1) == '\n' || index >= 2 && wire.at(index - 1) == '\r' && wire.at(index - 2) == '\n';
  }

  /** A page that a browser loads from elsewhere can reach loopback by a name of its own; by address it cannot. */
  private void checkHost(Head head) throws MalformedRequest {
    if (local) {
      return;
    }
    String host = head.header("Host").orElse("");
    String name = host.startsWith("[") ? host.replaceAll("^\\[([^\\]]*)\\](:[0-9]*)?$", "$1") : host.replaceAll(":[0-9]*$", "");
    boolean address = name.matches("[0-9.]{7,15}") || name.indexOf(':') >= 0 && name.matches("[0-9a-fA-F:.]+");
    if (!address && !name.equalsIgnoreCase("localhost") || address && !parses(name)) {
      throw new MalformedRequest(403, "the Host header must be an address or localhost");
    }
  }

  private static boolean parses(String address) {
    try {
      InetAddress.ofLiteral(address);
      return true;
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  private boolean drained(Bodies.Share share) throws IOException, InterruptedException {
    try {
      bodyOf(share);
      return true;
    } catch (MalformedRequest _) { // an unread body that cannot be skipped: the answer stands, the connection ends
      return false;
    }
  }

  private boolean send(Reply.Whole reply, boolean reusable) throws IOException {
    wire.within(door.limits().reply());
    StringBuilder head = start(reply.status(), reply.contentType(), reply.headers());
    if (reply.status() != 204) {
      head.append("Content-Length: ").append(reply.body().length).append("\r\n");
    }
    head.append(reusable ? "\r\n" : "Connection: close\r\n\r\n");
    byte[] headBytes = head.toString().getBytes(StandardCharsets.ISO_8859_1);
    boolean headOnly = current != null && current.method().equals("HEAD");
    byte[] all = Arrays.copyOf(headBytes, headBytes.length + (headOnly ? 0 : reply.body().length));
    if (!headOnly) {
      System.arraycopy(reply.body(), 0, all, headBytes.length, reply.body().length);
    }
    wire.write(all);
    return reusable;
  }

  private boolean stream(Reply.Streamed reply) throws IOException, InterruptedException {
    wire.withoutLimit();
    boolean chunked = !current.http10();
    StringBuilder head = start(reply.status(), reply.contentType(), Map.of());
    head.append(chunked ? "Transfer-Encoding: chunked\r\n" : "").append("Connection: close\r\n\r\n");
    wire.write(head.toString().getBytes(StandardCharsets.ISO_8859_1));
    if (!current.method().equals("HEAD")) {
      reply.producer().produce(new Chunks(chunked));
      if (chunked) {
        wire.write(LAST_CHUNK);
      }
    }
    wire.endOutput();
    return false;
  }

  /** The body's pieces, each as one chunk in one write. */
  private final class Chunks implements Reply.Pieces {
    private final boolean chunked;

    private Chunks(boolean chunked) {
      this.chunked = chunked;
    }

    @Override
    public void write(byte[] piece) throws IOException {
      if (piece.length == 0) {
        return; // an empty chunk would end the stream
      }
      if (!chunked) {
        wire.write(piece);
        return;
      }
      byte[] size = (Integer.toHexString(piece.length) + "\r\n").getBytes(StandardCharsets.US_ASCII);
      byte[] chunk = new byte[size.length + piece.length + 2];
      System.arraycopy(size, 0, chunk, 0, size.length);
      System.arraycopy(piece, 0, chunk, size.length, piece.length);
      chunk[chunk.length - 2] = '\r';
      chunk[chunk.length - 1] = '\n';
      wire.write(chunk);
    }

    @Override
    public void whenClientLeaves(Runnable action) {
      door.spawn("control-api-hangup", () -> {
        try {
          dropInput(); // whatever a client says while it listens has no meaning
        } catch (IOException _) { // an abrupt end is an end as well
          wire.close();
        }
        action.run();
      });
    }
  }

  private boolean pass(Reply.Passed passed) throws IOException, InterruptedException {
    Wire engine;
    try {
      engine = door.dialEngine();
    } catch (IOException e) {
      send((Reply.Whole) Reply.error(503, "the engine does not answer: " + e.getMessage()), false);
      lingering();
      return false;
    }
    try (engine) {
      Optional<Long> length = passed.body() == null ? Optional.empty() : Optional.of((long) passed.body().length);
      engine.write(current.relayed(length, passed.target()));
      if (passed.body() != null) {
        engine.write(passed.body());
      }
      Relay.run(wire, engine, body -> door.spawn("control-api-relay", body));
    }
    return false;
  }

  /** A client that is still sending must not lose the answer to a reset: its bytes are dropped until it stops. */
  private void lingering() throws IOException {
    wire.within(door.limits().head());
    wire.endOutput();
    dropInput();
  }

  private void dropInput() throws IOException {
    byte[] ignored = new byte[4 << 10];
    int read = 0;
    while (read >= 0) {
      read = wire.read(ignored, 0, ignored.length);
    }
  }

  private StringBuilder start(int status, String contentType, Map<String, String> headers) {
    StringBuilder head = new StringBuilder(256).append("HTTP/1.1 ").append(status).append(' ').append(reason(status)).append("\r\n");
    door.commonHeaders().forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    if (contentType != null) {
      head.append("Content-Type: ").append(contentType).append("\r\n");
    }
    return head.append("Date: ").append(HTTP_DATE.format(Instant.now(door.clock()))).append("\r\n");
  }

  private static String reason(int status) {
    return switch (status) {
      case 200 -> "OK";
      case 201 -> "Created";
      case 204 -> "No Content";
      case 400 -> "Bad Request";
      case 401 -> "Unauthorized";
      case 403 -> "Forbidden";
      case 404 -> "Not Found";
      case 409 -> "Conflict";
      case 413 -> "Content Too Large";
      case 431 -> "Request Header Fields Too Large";
      case 500 -> "Internal Server Error";
      case 501 -> "Not Implemented";
      case 503 -> "Service Unavailable";
      case 505 -> "HTTP Version Not Supported";
      default -> "Status";
    };
  }
}
