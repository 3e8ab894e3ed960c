package dev.skep.ingress.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.ingress.FeedOf;
import dev.skep.ingress.IngressConfig;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What passes through a connection, and how it ends. */
class TcpSessionTest extends PublishedPortScene {
  @Test
  void halfClosedConnectionsLoseNothing() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    // Answers only after it has seen the end of the request, with twice as many bytes.
    task(
        "127.0.1.1",
        (socket, in, out) -> {
          byte[] all = in.readAllBytes();
          out.write(all);
          out.write(all);
        });
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    Random random = new Random(7);
    byte[] bytes = new byte[300_000];
    random.nextBytes(bytes);
    AtomicLong number = new AtomicLong();
    List<Integer> wrong =
        parallel(
            300,
            () -> {
              byte[] request = java.util.Arrays.copyOf(bytes, 1 + (int) (number.incrementAndGet() * 997 % 300_000));
              try (Socket socket = connect()) {
                socket.getOutputStream().write(request);
                socket.shutdownOutput();
                byte[] answer = socket.getInputStream().readAllBytes();
                byte[] twice = new byte[request.length * 2];
                System.arraycopy(request, 0, twice, 0, request.length);
                System.arraycopy(request, 0, twice, request.length, request.length);
                return java.util.Arrays.equals(answer, twice) ? 0 : 1;
              }
            });
    assertThat(wrong.stream().mapToInt(Integer::intValue).sum()).isZero();
    assertThat(awaitOpen(ingress, 0)).isZero();
  }

  @Test
  void aTaskThatEndsItsSideFirstStillHears() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
    task(
        "127.0.1.1",
        (socket, in, out) -> {
          out.write("hello".getBytes());
          socket.shutdownOutput();
          heard.add(new String(in.readAllBytes()));
        });
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    for (int n = 0; n < 50; n++) {
      try (Socket socket = connect()) {
        assertThat(socket.getInputStream().readAllBytes()).asString().isEqualTo("hello");
        socket.getOutputStream().write("later".getBytes());
        socket.shutdownOutput();
        assertThat(heard.take()).isEqualTo("later");
      }
    }
  }

  @Test
  void aSlowReaderStopsTheWriterAndGetsEverything() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    long total = 256L << 20;
    LinkedBlockingQueue<Integer> written = new LinkedBlockingQueue<>();
    task(
        "127.0.1.1",
        (socket, in, out) -> {
          socket.setSendBufferSize(64 << 10);
          byte[] block = new byte[64 << 10];
          for (long sent = 0; sent < total; sent += block.length) {
            out.write(block);
            written.add(block.length);
          }
        });
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(64 << 10);
      socket.connect(new InetSocketAddress("127.0.0.1", published));
      InputStream in = socket.getInputStream();
      in.read();
      long before = 0;
      for (Integer more = 0; more != null; more = written.poll(200, TimeUnit.MILLISECONDS)) { // until the writer stands still
        before += more;
      }
      assertThat(before).as("buffered on the way").isLessThan(32L << 20);
      byte[] buffer = new byte[1 << 20];
      long got = 1;
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        got += n;
      }
      assertThat(got).isEqualTo(total);
    }
  }

  @Test
  void resetsArePassedOnAsResets() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    LinkedBlockingQueue<String> ends = new LinkedBlockingQueue<>();
    task(
        "127.0.1.1",
        (socket, in, out) -> {
          int first = in.read();
          if (first == 'x') {
            socket.setSoLinger(true, 0);
            socket.close();
            return;
          }
          out.write('o');
          try {
            ends.add("end " + in.read());
          } catch (IOException reset) {
            ends.add("reset");
          }
        });
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    try (Socket socket = connect()) {
      socket.getOutputStream().write('x');
      assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(IOException.class).hasMessageContaining("reset");
    }
    Socket socket = connect();
    socket.getOutputStream().write('a');
    assertThat(socket.getInputStream().read()).isEqualTo('o');
    socket.setSoLinger(true, 0);
    socket.close();
    assertThat(ends.take()).isEqualTo("reset");
    assertThat(awaitOpen(ingress, 0)).isZero();
  }

  @Test
  void theBackendLearnsItsClient() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    // Reads to the end: who closes with bytes unread sends a reset, which may overtake the answer.
    task("127.0.1.1", (socket, in, out) -> out.write(in.readAllBytes()));
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET, "v1").task("web", 1, "127.0.1.1"));
    try (Socket socket = new Socket()) {
      socket.bind(new InetSocketAddress("127.0.0.9", 0));
      socket.connect(new InetSocketAddress("127.0.0.1", published));
      socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
      socket.shutdownOutput();
      assertThat(new String(socket.getInputStream().readAllBytes())).startsWith("PROXY TCP4 127.0.0.9 127.0.0.1");
    }
  }
}
