package dev.skep.skepd.e2e;

import dev.skep.testkit.net.Namespaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A machine of its own: a network namespace with one interface, a private Docker engine in it, and the launcher with its
 * own data folder. An outside host, in a second namespace, is its only neighbour. Closing leaves nothing behind.
 */
final class Machine implements AutoCloseable {
  static final Path HOME = Path.of(System.getProperty("skep.home", "../..")).toAbsolutePath().normalize();
  /** The CLI that a user has today, and Debian's old one. */
  static final String NEW_CLI = Files.isExecutable(Path.of("/usr/local/bin/docker")) ? "/usr/local/bin/docker" : "docker";

  static final String OLD_CLI = "/usr/bin/docker";
  static final String ADDRESS = "10.88.0.1";

  private final String name;
  private final String outside;
  private final Path folder;
  private Process engine;

  private Machine(String what) throws IOException {
    this.name = Namespaces.fresh(what);
    this.outside = name + "o";
    this.folder = Namespaces.folder(name);
  }

  static Machine boot(String what) {
    try {
      Machine machine = new Machine(what);
      try {
        machine.bootNetwork();
        machine.startEngine();
        machine.makeImages();
      } catch (RuntimeException | Error e) {
        machine.close();
        throw e;
      }
      return machine;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String apiSocket() {
    return folder.resolve("docker.sock").toString();
  }

  String engineSocket() {
    return folder.resolve("engine.sock").toString();
  }

  Path data() {
    return folder.resolve("data");
  }

  String namespace() {
    return name;
  }

  /** The docker CLI against Skep. */
  Command.Result docker(String... words) {
    return cli(NEW_CLI, "unix://" + apiSocket(), words).run();
  }

  /** Debian's 20.10 CLI against Skep. */
  Command.Result oldDocker(String... words) {
    return cli(OLD_CLI, "unix://" + apiSocket(), words).run();
  }

  /** The docker CLI against the engine itself. */
  Command.Result engine(String... words) {
    return cli(NEW_CLI, "unix://" + engineSocket(), words).run();
  }

  Command cli(String binary, String host, String... words) {
    List<String> all = new ArrayList<>(List.of(binary));
    all.addAll(List.of(words));
    return new Command(all, java.util.Map.of("DOCKER_HOST", host, "DOCKER_CONFIG", folder.resolve("config").toString()), Duration.ofSeconds(120));
  }

  /** A shell line on this machine. */
  Command.Result sh(String line) {
    return Command.of("sh", "-c", line).inNamespace(name).run();
  }

  /** A shell line on the neighbour. */
  Command.Result outside(String line) {
    return Command.of("sh", "-c", line).inNamespace(outside).run();
  }

  Command skepCommand(String command, String... options) {
    List<String> words = new ArrayList<>(List.of(HOME.resolve("skep").toString(), command));
    words.addAll(List.of(options));
    words.addAll(List.of("--data", data().toString(), "--api", "unix://" + apiSocket(), "--engine", "unix://" + engineSocket()));
    return new Command(words, java.util.Map.of("DOCKER_CONFIG", folder.resolve("config").toString()), Duration.ofSeconds(180)).inNamespace(name);
  }

  Command.Result skep(String command, String... options) {
    return skepCommand(command, options).run();
  }

  /** The first line that an HTTP server answers with, or an empty string when there is no answer. */
  String get(String url) {
    return Command.of("curl", "-s", "-m", "5", url).inNamespace(name).run().text();
  }

  long pid(String daemon) {
    try (Stream<Path> files = Files.list(Path.of("/run"))) {
      for (Path run : files.filter(path -> path.getFileName().toString().startsWith("skep")).toList()) {
        Path pid = run.resolve(daemon + ".pid");
        if (Files.exists(pid) && commandLine(Files.readString(pid).strip()).contains("--data=" + data())) {
          return Long.parseLong(Files.readString(pid).strip());
        }
      }
      return -1;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String commandLine(String pid) throws IOException {
    Path file = Path.of("/proc", pid, "cmdline");
    return Files.exists(file) ? Files.readString(file).replace('\0', ' ') : "";
  }

  void kill9(long pid) {
    Command.of("kill", "-9", Long.toString(pid)).run().succeeds();
  }

  /** Asks again and again until the answer is right; the last answer stands in the failure. */
  static <T> T eventually(String what, Supplier<T> question, java.util.function.Predicate<T> right) {
    return within(Duration.ofSeconds(60), what, question, right);
  }

  /** As {@link #eventually}, for what takes longer. */
  static <T> T within(Duration limit, String what, Supplier<T> question, java.util.function.Predicate<T> right) {
    Instant end = Instant.now().plus(limit);
    T answer = question.get();
    while (!right.test(answer)) {
      if (Instant.now().isAfter(end)) {
        throw new AssertionError("not within " + limit.toSeconds() + " s: " + what + "\nlast seen:\n" + answer);
      }
      // a poll of an outside system, not a wait for an event of ours
      java.util.concurrent.locks.LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
      answer = question.get();
    }
    return answer;
  }

  /** Waits until `service ls` shows this many replicas, for example "2/2". */
  void replicas(String service, String wanted) {
    eventually(service + " has " + wanted, () -> docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").output(),
        seen -> seen.lines().anyMatch(line -> line.equals(service + " " + wanted) || line.startsWith(service + " " + wanted + " ")));
  }

  private void bootNetwork() {
    Command.of("sh", "-c", String.join(" && ",
        "ip netns add " + name,
        "ip netns add " + outside,
        "ip -n " + name + " link set lo up",
        "ip -n " + outside + " link set lo up",
        "ip -n " + name + " link add eth0 type veth peer name eth0 netns " + outside,
        "ip -n " + name + " addr add " + ADDRESS + "/24 dev eth0",
        "ip -n " + outside + " addr add 10.88.0.254/24 dev eth0",
        "ip -n " + name + " link set eth0 up",
        "ip -n " + outside + " link set eth0 up",
        "ip -n " + name + " route add default via 10.88.0.254")).run().succeeds();
  }

  void startEngine() {
    // A look-up that cannot be answered must fail at once, or every pull waits for time-outs.
    String start = "echo nameserver 127.0.0.1 >" + folder + "/resolv.conf; mount --bind " + folder + "/resolv.conf /etc/resolv.conf; exec dockerd --host unix://"
        + engineSocket() + " --data-root " + folder + "/engine --exec-root " + folder + "/exec --pidfile " + folder + "/engine.pid";
    engine = Command.of("nsenter", "--net=/var/run/netns/" + name, "unshare", "-m", "sh", "-c", start).start(folder.resolve("engine.log"));
    eventually("the engine answers", () -> Command.of("curl", "-s", "-m", "2", "--unix-socket", engineSocket(), "http://x/_ping").run().text(), "OK"::equals);
  }

  void stopEngine() {
    if (engine != null) {
      engine.destroy();
      try {
        if (!engine.waitFor(30, java.util.concurrent.TimeUnit.SECONDS)) {
          engine.destroyForcibly().waitFor();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      engine = null;
    }
  }

  private void makeImages() {
    Command.of("bash", "-c", HOME.resolve("examples/hello/prepare").toString()).with("DOCKER_HOST", "unix://" + engineSocket()).run().succeeds();
  }

  @Override
  public void close() {
    if (Files.exists(data())) {
      skep("down", "--purge");
    }
    if (engine != null) {
      Command.of("sh", "-c", "ids=$(" + NEW_CLI + " -H unix://" + engineSocket() + " ps -aq); [ -z \"$ids\" ] || " + NEW_CLI + " -H unix://" + engineSocket()
          + " rm -f $ids").run();
    }
    stopEngine();
    Namespaces.remove(name);
    Namespaces.remove(outside);
  }
}
