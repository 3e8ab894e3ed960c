package dev.skep.testkit.etcd;

import dev.skep.testkit.Children;
import dev.skep.testkit.net.Ports;
import dev.skep.testkit.net.Site;
import dev.skep.testkit.tls.TestAuthority;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** One etcd process of a test, with a folder of its own. It is gone when the test's JVM is, however that ended. */
public final class EtcdServer implements AutoCloseable {
  static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int LOG_CHARACTERS = 4_000;

  /**
   * TLS for clients.
   *
   * @param root that both sides trust
   * @param certificate what the server shows, with its key
   * @param asksClients clients must show a certificate, too
   */
  public record Tls(Path root, Path certificate, Path key, boolean asksClients) {
    public Tls(TestAuthority authority, TestAuthority.Issued server) {
      this(authority.root(), server.certificate(), server.key(), true);
    }
  }

  private final String name;
  private final Site site;
  private final Path folder;
  private final int clientPort;
  private final int peerPort;
  private final int healthPort;
  private final List<String> command;
  private Process process;

  EtcdServer(String name, Site site, List<Integer> ports, String members, Optional<Tls> tls, List<String> flags) throws IOException {
    this.name = name;
    this.site = site;
    this.folder = site.newFolder("skep-etcd-");
    this.clientPort = ports.get(0);
    this.peerPort = ports.get(1);
    this.healthPort = ports.get(2);
    String clients = (tls.isPresent() ? "https" : "http") + "://" + endpoint();
    this.command = new ArrayList<>(List.of("etcd", "--name", name, "--data-dir", folder.resolve("data").toString(),
        "--listen-client-urls", clients, "--advertise-client-urls", clients, "--listen-peer-urls", peer(site, peerPort),
        "--initial-advertise-peer-urls", peer(site, peerPort), "--initial-cluster", members, "--initial-cluster-token", members,
        "--listen-metrics-urls", peer(site, healthPort), "--logger", "zap", "--log-level", "warn"));
    tls.ifPresent(with -> command.addAll(List.of("--cert-file", with.certificate.toString(), "--key-file", with.key.toString())));
    tls.filter(Tls::asksClients).ifPresent(with -> command.addAll(List.of("--trusted-ca-file", with.root.toString(), "--client-cert-auth")));
    command.addAll(flags);
  }

  static String peer(Site site, int port) {
    return "http://" + site.address() + ":" + port;
  }

  /** A cluster of one, running. */
  public static EtcdServer start(String... flags) throws IOException, InterruptedException {
    return start(Optional.empty(), flags);
  }

  /** A cluster of one that speaks TLS, running. */
  public static EtcdServer start(Optional<Tls> tls, String... flags) throws IOException, InterruptedException {
    List<Integer> ports = Ports.free(3);
    EtcdServer server = new EtcdServer("one", Site.LOOPBACK, ports, "one=" + peer(Site.LOOPBACK, ports.get(1)), tls, List.of(flags));
    try {
      server.begin();
      server.awaitHealthy();
      return server;
    } catch (Throwable e) {
      server.close();
      throw e;
    }
  }

  /** Starts the process, or starts it again on the same ports and the same folder. */
  public void begin() throws IOException, InterruptedException {
    process = Children.start(new ProcessBuilder(site.command(command)).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile())));
  }

  /** The end of the process as the user wants it. */
  public void stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError(name + " does not stop: " + log());
    }
  }

  /** kill -9. */
  public void kill() {
    if (process != null) {
      process.destroyForcibly().onExit().join();
    }
  }

  /** SIGSTOP: the process and its connections are there, and nothing answers. */
  public void freeze() throws IOException, InterruptedException {
    signal("-STOP");
    while (!allThreadsStopped()) { // the signal comes to each when it is scheduled; the test's time-out ends this
      LockSupport.parkNanos(1_000_000);
    }
  }

  private boolean allThreadsStopped() throws IOException {
    try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(process.pid()), "task"))) {
      for (Path thread : threads.toList()) {
        String stat = Files.readString(thread.resolve("stat"));
        if (!stat.startsWith(" T", stat.lastIndexOf(')') + 1)) {
          return false;
        }
      }
      return true;
    }
  }

  /** SIGCONT. */
  public void thaw() throws IOException, InterruptedException {
    signal("-CONT");
  }

  private void signal(String which) throws IOException, InterruptedException {
    int exit = new ProcessBuilder("kill", which, Long.toString(process.pid())).inheritIO().start().waitFor();
    if (exit != 0) {
      throw new AssertionError("kill " + which + " of " + name + " ended with " + exit + "; " + log());
    }
  }

  /** Whether its process is there. */
  public boolean runs() {
    return process.isAlive();
  }

  /** Waits until it takes part in a cluster that has a leader. */
  public void awaitHealthy() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!ask("/health").contains("\"true\"")) {
      if (System.nanoTime() - end > 0 || process.waitFor(20, TimeUnit.MILLISECONDS)) {
        throw new AssertionError(name + " is not healthy: " + log());
      }
    }
  }

  /** Whether it is the leader of its cluster, as it knows itself. */
  public boolean leads() throws InterruptedException {
    return ask("/metrics").contains("\netcd_server_is_leader 1");
  }

  /** A figure without labels of its /metrics. */
  public double metric(String name) throws InterruptedException {
    return ask("/metrics").lines().filter(line -> line.startsWith(name + " ")).findFirst()
        .map(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .orElseThrow(() -> new AssertionError("the server does not tell " + name + ": " + log()));
  }

  private String ask(String path) throws InterruptedException {
    URI uri = URI.create(peer(site, healthPort) + path);
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build()) {
      return client.send(HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(5)).build(), HttpResponse.BodyHandlers.ofString()).body();
    } catch (IOException e) {
      return "";
    }
  }

  /** {@code host:port} for clients. */
  public String endpoint() {
    return site.address() + ":" + clientPort;
  }

  public int port() {
    return clientPort;
  }

  /** The end of what it printed. */
  public String log() {
    try {
      String log = Files.readString(folder.resolve("log"));
      return log.substring(Math.max(0, log.length() - LOG_CHARACTERS));
    } catch (IOException e) {
      return "it printed nothing (" + e.getMessage() + ")";
    }
  }

  /** Ends it for good and removes its folder. */
  @Override
  public void close() {
    kill();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
