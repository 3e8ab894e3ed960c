package dev.skep.ingress.shell;

import dev.skep.ingress.FeedOf;
import dev.skep.ingress.FreePort;
import dev.skep.ingress.IngressConfig;
import dev.skep.ingress.core.Routes;
import dev.skep.runtime.net.Handover;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
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
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A published port on loopback, tasks behind it and clients before it. */
abstract class PublishedPortScene {
  static final int TARGET = FreePort.find();
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @TempDir Path folder;
  final List<AutoCloseable> open = new ArrayList<>();
  int published;

  @BeforeEach
  void pickPort() {
    published = FreePort.find();
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  Ingress ingress(IngressConfig config) throws IOException {
    Ingress ingress = new Ingress(config.drain().toSeconds() == 10 ? config.withDrain(Duration.ofMillis(100)) : config,
        Handover.take(folder), new CollectorRegistry(), () -> {});
    open.add(() -> ingress.drain(false));
    return ingress;
  }

  static void apply(Ingress ingress, FeedOf feed) throws InterruptedException {
    ingress.ports().apply(Routes.of(feed.state())).sync();
  }

  void task(String address, Task.Behaviour behaviour) throws IOException {
    open.add(new Task(address, TARGET, behaviour));
  }

  /** A task whose backlog is full and stays so: the kernel drops what else would connect. */
  void silent(String address) throws IOException {
    ServerSocket server = new ServerSocket();
    server.bind(new InetSocketAddress(address, TARGET), 1);
    open.add(server);
    for (int n = 0; n < 2; n++) {
      open.add(new Socket(address, TARGET));
    }
  }

  Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), published);
    socket.setSoTimeout(20_000);
    return socket;
  }

  String ask() throws IOException {
    try (Socket socket = connect()) {
      return new String(socket.getInputStream().readAllBytes());
    }
  }

  /** Reads the answer, or fails as a client sees a reset: when it connects, writes or reads. */
  void askFailing() throws IOException {
    try (Socket socket = connect()) {
      OutputStream out = socket.getOutputStream();
      out.write('?');
      if (socket.getInputStream().read() < 0) {
        throw new IOException("closed");
      }
    }
  }

  /** How many connections are open: as many as wanted, unless it does not come to that. */
  static int awaitOpen(Ingress ingress, int wanted) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (ingress.openConnections() != wanted && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
    }
    return ingress.openConnections();
  }

  static <T> List<T> parallel(int count, Callable<T> call) throws Exception {
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

  static Map<String, Integer> count(List<String> names) {
    Map<String, Integer> count = new TreeMap<>();
    names.forEach(name -> count.merge(name, 1, Integer::sum));
    return count;
  }
}
