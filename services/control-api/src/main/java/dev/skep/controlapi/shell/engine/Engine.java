package dev.skep.controlapi.shell.engine;

import dev.skep.runtime.Host;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the node's engine. Requests are HTTP/1.0, so that an answer ends where the connection does and no framing has to
 * be undone; one connection each. Calls block.
 */
public final class Engine {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);
  private static final int PIECE = 16 << 10;
  private static final int MAX_HEAD = 64 << 10;
  private static final int MAX_BODY = 32 << 20;

  private final Path socket;
  private final Host host;

  public Engine(Path socket, Host host) {
    this.socket = socket;
    this.host = host;
  }

  public Path socket() {
    return socket;
  }

  public EngineReply get(String target, Duration limit) throws IOException {
    return call("GET", target, Map.of(), limit);
  }

  /** Throws IOException when the engine is not there or does not answer in time. */
  public EngineReply call(String method, String target, Map<String, String> headers, Duration limit) throws IOException {
    try (Stream stream = open(method, target, headers)) {
      host.after(limit, stream::hangUp); // a connection that is closed by then is not hurt
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      for (byte[] piece = stream.next(); piece.length > 0; piece = stream.next()) {
        body.write(piece);
        if (body.size() > MAX_BODY) {
          throw new IOException("an answer of more than " + MAX_BODY + " bytes to " + target);
        }
      }
      if (stream.status() == 0) {
        throw new IOException("the engine did not answer " + target);
      }
      return new EngineReply(stream.status(), stream.headers(), body.toByteArray());
    }
  }

  /** An answer that comes in pieces: events. */
  public Stream open(String method, String target, Map<String, String> headers) throws IOException {
    SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    StringBuilder head = new StringBuilder().append(method).append(' ').append(target).append(" HTTP/1.0\r\nHost: docker\r\n");
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    Stream stream = new Stream(channel);
    try {
      ByteBuffer request = ByteBuffer.wrap(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
      while (request.hasRemaining()) {
        channel.write(request);
      }
      return stream;
    } catch (IOException e) {
      stream.close();
      throw e;
    }
  }

  /** One answer. */
  public static final class Stream implements AutoCloseable {
    private final SocketChannel channel;
    private final ByteBuffer piece = ByteBuffer.allocate(PIECE);
    private final Map<String, String> headers = new HashMap<>();
    private int status;
    private byte[] left = {};

    private Stream(SocketChannel channel) {
      this.channel = channel;
    }

    public int status() {
      return status;
    }

    public Map<String, String> headers() {
      return headers;
    }

    /** The next bytes; none at the end. Reads the head first. */
    public byte[] next() throws IOException {
      if (status == 0) {
        readHead();
      }
      if (left.length > 0) {
        byte[] first = left;
        left = new byte[0];
        return first;
      }
      return read();
    }

    private byte[] read() throws IOException {
      piece.clear();
      if (channel.read(piece) < 0) {
        return new byte[0];
      }
      byte[] bytes = new byte[piece.position()];
      piece.flip().get(bytes);
      return bytes;
    }

    private void readHead() throws IOException {
      ByteArrayOutputStream seen = new ByteArrayOutputStream();
      int end = -1;
      String text = "";
      while (end < 0) {
        byte[] more = read();
        if (more.length == 0 || seen.size() > MAX_HEAD) {
          throw new IOException("the engine ended the connection before it answered");
        }
        seen.write(more);
        text = seen.toString(StandardCharsets.ISO_8859_1);
        end = text.indexOf("\r\n\r\n");
      }
      String[] lines = text.substring(0, end).split("\r\n");
      String[] first = lines[0].split(" ", 3);
      if (first.length < 2 || !first[1].matches("[0-9]{3}")) {
        throw new IOException("the engine answered '" + lines[0] + "'");
      }
      for (int i = 1; i < lines.length; i++) {
        int colon = lines[i].indexOf(':');
        if (colon > 0) {
          headers.put(lines[i].substring(0, colon), lines[i].substring(colon + 1).strip());
        }
      }
      status = Integer.parseInt(first[1]);
      left = text.substring(end + 4).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Ends it from another thread. */
    public void hangUp() {
      try {
        channel.close();
      } catch (IOException e) {
        LOG.debug("closing a connection to the engine: {}", e.getMessage());
      }
    }

    @Override
    public void close() {
      hangUp();
    }
  }
}
