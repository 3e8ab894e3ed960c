package dev.skep.skepd.faults;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Timer;
import java.util.TimerTask;

/** The Docker API of one control-api, as the command line calls it; but it does not wait for ever. */
final class Api {
  /** What came of a call. {@code status} 0: nobody took the call; -1: it was taken, and no whole answer came. */
  record Answer(int status, String body) {
    static final int NOT_TAKEN = 0;
    static final int CUT_SHORT = -1;

    boolean done() {
      return status >= 200 && status < 300;
    }
  }

  private static final Timer TIMER = new Timer("api-patience", true);

  private final Path socket;
  private final Duration patience;

  Api(Path socket, Duration patience) {
    this.socket = socket;
    this.patience = patience;
  }

  Answer call(String method, String path, String body) {
    boolean taken = false;
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      TimerTask end = closing(channel);
      TIMER.schedule(end, patience.toMillis());
      channel.connect(UnixDomainSocketAddress.of(socket));
      taken = true;
      byte[] content = body.getBytes(StandardCharsets.UTF_8);
      String head = method + " /v1.41" + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
          + "Content-Length: " + content.length + "\r\n\r\n";
      channel.write(ByteBuffer.wrap(head.getBytes(StandardCharsets.US_ASCII)));
      channel.write(ByteBuffer.wrap(content));
      Answer answer = parsed(whole(channel));
      end.cancel();
      return answer;
    } catch (IOException e) {
      return new Answer(taken ? Answer.CUT_SHORT : Answer.NOT_TAKEN, String.valueOf(e.getMessage()));
    }
  }

  private static TimerTask closing(SocketChannel channel) {
    return new TimerTask() {
      @Override
      public void run() {
        try {
          channel.close();
        } catch (IOException e) {
          throw new AssertionError(e);
        }
      }
    };
  }

  private static String whole(SocketChannel channel) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    ByteBuffer part = ByteBuffer.allocate(1 << 16);
    while (channel.read(part) >= 0) {
      answer.write(part.array(), 0, part.position());
      part.clear();
    }
    return answer.toString(StandardCharsets.UTF_8);
  }

  private static Answer parsed(String text) {
    int body = text.indexOf("\r\n\r\n");
    if (body < 0) {
      return new Answer(Answer.CUT_SHORT, "the connection ended");
    }
    return new Answer(Integer.parseInt(text.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length())), text.substring(body + 4).strip());
  }
}
