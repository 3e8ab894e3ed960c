package dev.skep.ingress.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.feed.v1.EdgePort;
import dev.skep.ingress.FeedOf;
import dev.skep.ingress.IngressConfig;
import dev.skep.ingress.core.Routes;
import dev.skep.runtime.net.Handover;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IngressTest {
  private static final int TARGET = 18_080;

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private int published;

  @BeforeEach
  void pickPort() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      published = free.getLocalPort();
    }
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  @Test
  void inTurnExactlyOverAllLoopsUnderConcurrency() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults().withEventLoops(3));
    FeedOf feed = new FeedOf().service("web", "tcp", published, TARGET);
    for (int n = 1; n <= 3; n++) {
      task("127.0.1." + n, Task.named("task" + n));
      feed.task("web", n, "127.0.1." + n);
    }
    apply(ingress, feed);
    assertThat(List.of(ask(), ask(), ask(), ask(), ask(), ask())).containsExactly("task1", "task2", "task3", "task1", "task2", "task3");
    Map<String, Integer> seen = count(parallel(300, this::ask));
    assertThat(seen).isEqualTo(Map.of("task1", 100, "task2", 100, "task3", 100));
  }

  @Test
  void aTaskThatDoesNotAnswerIsSkippedUnnoticed() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    task("127.0.1.1", Task.named("task1"));
    task("127.0.1.3", Task.named("task3"));
    silent("127.0.1.4");
    apply(
        ingress,
        new FeedOf()
            .service("web", "tcp", published, TARGET)
            .task("web", 1, "127.0.1.1")
            .task("web", 2, "127.0.1.2") // nobody listens there
            .task("web", 3, "127.0.1.3")
            .task("web", 4, "127.0.1.4")); // and from here nothing ever comes back
    Map<String, Integer> seen = count(parallel(60, this::ask));
    assertThat(seen.keySet()).containsExactly("task1", "task3");
    assertThat(List.of(ask(), ask(), ask(), ask())).contains("task1", "task3");
  }

  @Test
  void nobodyThereMeansClosedAtOnceAndThePortStaysOpen() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1", false));
    assertThatThrownBy(this::askFailing).isInstanceOf(IOException.class);
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    assertThatThrownBy(this::askFailing).isInstanceOf(IOException.class);
    task("127.0.1.1", Task.named("task1"));
    assertThat(ask()).isEqualTo("task1");
    ingress.ports().apply(Routes.of(new FeedOf().state())).sync();
    assertThatThrownBy(this::ask).isInstanceOf(java.net.ConnectException.class);
  }

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
    assertThat(awaitZero(ingress)).isZero();
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
    AtomicLong written = new AtomicLong();
    task(
        "127.0.1.1",
        (socket, in, out) -> {
          socket.setSendBufferSize(64 << 10);
          byte[] block = new byte[64 << 10];
          for (long sent = 0; sent < total; sent += block.length) {
            out.write(block);
            written.addAndGet(block.length);
          }
        });
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(64 << 10);
      socket.connect(new InetSocketAddress("127.0.0.1", published));
      InputStream in = socket.getInputStream();
      in.read();
      long before = -1;
      while (before != written.get()) { // until the writer stands still
        before = written.get();
        Thread.sleep(200);
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
    assertThat(awaitZero(ingress)).isZero();
  }

  @Test
  void aWithdrawnTaskKeepsItsConnectionsAndGetsNoNewOnes() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    task(
        "127.0.1.1",
        (socket, in, out) -> {
          for (int c = in.read(); c >= 0; c = in.read()) {
            out.write(c);
          }
        });
    task("127.0.1.2", Task.named("task2"));
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    try (Socket socket = connect()) {
      socket.getOutputStream().write('a');
      assertThat(socket.getInputStream().read()).isEqualTo('a');
      apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1", false).task("web", 2, "127.0.1.2"));
      assertThat(List.of(ask(), ask(), ask())).containsOnly("task2");
      socket.getOutputStream().write('b');
      assertThat(socket.getInputStream().read()).isEqualTo('b');
      ingress.ports().apply(Routes.of(new FeedOf().state())).sync();
      socket.getOutputStream().write('c');
      assertThat(socket.getInputStream().read()).as("the port is gone, the connection is not").isEqualTo('c');
    }
  }

  @Test
  void theBackendLearnsItsClient() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    task("127.0.1.1", (socket, in, out) -> out.write(in.readNBytes(30)));
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET, "v1").task("web", 1, "127.0.1.1"));
    try (Socket socket = new Socket()) {
      socket.bind(new InetSocketAddress("127.0.0.9", 0));
      socket.connect(new InetSocketAddress("127.0.0.1", published));
      socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
      assertThat(new String(socket.getInputStream().readAllBytes())).startsWith("PROXY TCP4 127.0.0.9 127.0.0.1");
    }
  }

  @Test
  void connectionsAreBounded() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults().withLimits(5, 5));
    task("127.0.1.1", (socket, in, out) -> out.write(in.read()));
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    List<Socket> held = new ArrayList<>();
    for (int n = 0; n < 5; n++) {
      held.add(connect());
    }
    while (ingress.openConnections() < 5) {
      Thread.onSpinWait();
    }
    assertThatThrownBy(this::askFailing).isInstanceOf(IOException.class);
    for (Socket socket : held) {
      socket.getOutputStream().write('z');
      assertThat(socket.getInputStream().read()).isEqualTo('z');
      socket.close();
    }
    assertThat(awaitZero(ingress)).isZero();
    try (Socket socket = connect()) {
      socket.getOutputStream().write('z');
      assertThat(socket.getInputStream().read()).isEqualTo('z');
    }
  }

  @Test
  void aTakenPortIsReportedAndOpenedWhenFree() throws Exception {
    LinkedBlockingQueue<List<EdgePort>> problems = new LinkedBlockingQueue<>();
    Ingress[] self = new Ingress[1];
    Ingress ingress =
        new Ingress(IngressConfig.defaults(), Handover.take(folder), new CollectorRegistry(), () -> problems.add(self[0].ports().problems()));
    self[0] = ingress;
    open.add(() -> ingress.drain(false));
    task("127.0.1.1", Task.named("task1"));
    FeedOf feed =
        new FeedOf().service("web", "tcp", published, TARGET).service("sig", "sctp", 3868, 3868).task("web", 1, "127.0.1.1");
    try (ServerSocket other = new ServerSocket(published)) {
      apply(ingress, feed);
      assertThat(ingress.ports().problems()).extracting(EdgePort::getProtocol, EdgePort::getPort)
          .containsExactly(org.assertj.core.groups.Tuple.tuple("sctp", 3868), org.assertj.core.groups.Tuple.tuple("tcp", published));
      assertThat(ingress.ports().problems().get(0).getProblem()).contains("sctp").contains("mode=host");
      assertThat(ingress.ports().problems().get(1).getProblem()).contains("already in use");
      assertThat(other.isBound()).isTrue();
    }
    List<EdgePort> last = problems.take();
    while (last.size() > 1) {
      last = problems.take();
    }
    assertThat(ask()).isEqualTo("task1");
  }

  @Test
  void aSuccessorTakesOverWithoutARefusedConnection() throws Exception {
    Ingress first = ingress(IngressConfig.defaults().withDrain(Duration.ofSeconds(20)));
    task("127.0.1.1", Task.named("task1"));
    FeedOf feed = new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1");
    apply(first, feed);
    CountDownLatch half = new CountDownLatch(1_000);
    ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    List<Future<Integer>> lost = new ArrayList<>();
    for (int c = 0; c < 4; c++) {
      lost.add(
          clients.submit(
              () -> {
                int failed = 0;
                for (int n = 0; n < 1_000; n++) {
                  try {
                    failed += ask().equals("task1") ? 0 : 1;
                  } catch (IOException refused) {
                    failed++;
                  }
                  half.countDown();
                }
                return failed;
              }));
    }
    half.await();
    Ingress second = ingress(IngressConfig.defaults());
    apply(second, feed);
    assertThat(second.ports().problems()).isEmpty();
    first.drain(true);
    int failed = 0;
    for (Future<Integer> one : lost) {
      failed += one.get();
    }
    clients.close();
    assertThat(failed).isZero();
    assertThat(ask()).isEqualTo("task1");
  }

  private Ingress ingress(IngressConfig config) throws IOException {
    Ingress ingress = new Ingress(config.drain().toSeconds() == 10 ? config.withDrain(Duration.ofMillis(100)) : config,
        Handover.take(folder), new CollectorRegistry(), () -> {});
    open.add(() -> ingress.drain(false));
    return ingress;
  }

  private static void apply(Ingress ingress, FeedOf feed) throws InterruptedException {
    ingress.ports().apply(Routes.of(feed.state())).sync();
  }

  private void task(String address, Task.Behaviour behaviour) throws IOException {
    open.add(new Task(address, TARGET, behaviour));
  }

  /** A task whose backlog is full and stays so: the kernel drops what else would connect. */
  private void silent(String address) throws IOException {
    ServerSocket server = new ServerSocket();
    server.bind(new InetSocketAddress(address, TARGET), 1);
    open.add(server);
    for (int n = 0; n < 2; n++) {
      open.add(new Socket(address, TARGET));
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), published);
    socket.setSoTimeout(20_000);
    return socket;
  }

  private String ask() throws IOException {
    try (Socket socket = connect()) {
      return new String(socket.getInputStream().readAllBytes());
    }
  }

  /** Reads the answer, or fails as a client sees a reset: when it connects, writes or reads. */
  private void askFailing() throws IOException {
    try (Socket socket = connect()) {
      OutputStream out = socket.getOutputStream();
      out.write('?');
      if (socket.getInputStream().read() < 0) {
        throw new IOException("closed");
      }
    }
  }

  private static int awaitZero(Ingress ingress) throws InterruptedException {
    for (int n = 0; n < 500 && ingress.openConnections() > 0; n++) {
      Thread.sleep(10);
    }
    return ingress.openConnections();
  }

  private static <T> List<T> parallel(int count, Callable<T> call) throws Exception {
    List<T> results = new ArrayList<>();
    try (ExecutorService clients = Executors.newFixedThreadPool(16)) {
      List<Future<T>> pending = new ArrayList<>();
      for (int n = 0; n < count; n++) {
        pending.add(clients.submit(call));
      }
      for (Future<T> one : pending) {
        results.add(one.get());
      }
    }
    return results;
  }

  private static Map<String, Integer> count(List<String> names) {
    Map<String, Integer> count = new TreeMap<>();
    names.forEach(name -> count.merge(name, 1, Integer::sum));
    return count;
  }
}
