package dev.skep.skepd.faults;

import dev.skep.testkit.net.Site;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** One process of one control service, in a namespace of its own. */
final class Replica implements Part {
  static final int PORT = 2377;
  private static final int METRICS = 9464;
  private static final int LOG_CHARACTERS = 6_000;

  private final String name;
  private final String kind;
  private final Site site;
  private final Wires wires;
  private final Path folder;
  private final List<String> command;
  private Process process;

  /** @param settings beside those that follow from where it is */
  Replica(String name, String kind, Site site, Wires wires, Path base, List<String> settings) throws IOException {
    this.name = name;
    this.kind = kind;
    this.site = site;
    this.wires = wires;
    this.folder = Files.createDirectories(base.resolve(name));
    List<String> java = Jvm.command(ServiceMain.class);
    java.addAll(List.of(kind, folder.resolve("clock").toString()));
    clock(Duration.ZERO);
    java.addAll(List.of("--data=" + folder.resolve("data"), "--run=" + folder.resolve("run"), "--listen=" + address(), "--advertise=" + address(),
        "--metrics-address=" + site.address(), "--metrics-port=" + METRICS));
    java.addAll(settings);
    this.command = site.command(java);
  }

  @Override
  public String name() {
    return name;
  }

  String kind() {
    return kind;
  }

  /** host:port at which the others reach it. */
  String address() {
    return site.address() + ":" + PORT;
  }

  Path run() {
    return folder.resolve("run");
  }

  /** Moves its wall clock. */
  void clock(Duration ahead) throws IOException {
    JumpingClock.set(folder.resolve("clock"), ahead);
  }

  boolean runs() {
    return process.isAlive();
  }

  @Override
  public void begin() throws IOException {
    process = new ProcessBuilder(command).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile())).start();
  }

  @Override
  public void kill() {
    process.destroyForcibly().onExit().join();
  }

  @Override
  public void stop() {
    process.destroy();
    process.onExit().join();
  }

  @Override
  public void freeze() throws Exception {
    Shell.signal("STOP", process);
  }

  @Override
  public void thaw() throws Exception {
    Shell.signal("CONT", process);
  }

  @Override
  public void cut() throws Exception {
    wires.cut(name);
  }

  @Override
  public void mend() throws Exception {
    wires.mend(name);
  }

  /** Whether it says that it can serve. */
  boolean ready() throws InterruptedException {
    if (!runs()) {
      throw new AssertionError(name + " has ended with " + process.exitValue() + ": " + log());
    }
    try {
      return get("/ready").statusCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  /** A figure without labels of its /metrics; 0 when it tells none. */
  double metric(String name) throws InterruptedException {
    try {
      return get("/metrics").body().lines().filter(line -> line.startsWith(name + " ")).findFirst()
          .map(line -> Double.parseDouble(line.substring(name.length() + 1))).orElse(0.0);
    } catch (IOException e) {
      return 0;
    }
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build()) {
      URI uri = URI.create("http://" + site.address() + ":" + METRICS + path);
      return client.send(HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(5)).build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  /** The end of what it printed. */
  String log() {
    try {
      String log = Files.readString(folder.resolve("log"));
      return log.substring(Math.max(0, log.length() - LOG_CHARACTERS));
    } catch (IOException e) {
      return "it printed nothing (" + e.getMessage() + ")";
    }
  }
}
