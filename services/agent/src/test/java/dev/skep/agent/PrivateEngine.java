package dev.skep.agent;

import dev.skep.testkit.net.Namespaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A Docker engine of a test's own, in a network namespace of its own. Everything is gone after {@link #close}. */
@SuppressWarnings("try") // closing waits for processes, which may be interrupted
final class PrivateEngine implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final String namespace = Namespaces.fresh("agent");
  private final Path folder;
  private final int number;
  private final String underlay;
  private Process daemon;

  private PrivateEngine(int number, String underlay) throws IOException {
    this.folder = Namespaces.folder(namespace);
    this.number = number;
    this.underlay = underlay.isEmpty() ? namespace + "o" : underlay;
  }

  static PrivateEngine start() throws Exception {
    return start(1, "");
  }

  /** On the underlay of another engine: 192.168.77.{@code number}. */
  static PrivateEngine beside(PrivateEngine other, int number) throws Exception {
    return start(number, other.underlay);
  }

  private static PrivateEngine start(int number, String underlay) throws Exception {
    PrivateEngine engine = new PrivateEngine(number, underlay);
    try {
      engine.prepare();
      engine.startDaemon();
      engine.importBusybox();
    } catch (Exception e) {
      engine.close();
      throw e;
    }
    return engine;
  }

  Path socket() {
    return folder.resolve("docker.sock");
  }

  String address() {
    return "192.168.77." + number;
  }

  List<String> prefix() {
    return List.of("nsenter", "--net=/var/run/netns/" + namespace);
  }

  private void prepare() throws Exception {
    run("ip", "netns", "add", namespace);
    inside("ip", "link", "set", "lo", "up");
    // A route of the host, so that something can overlap it, and an address to answer at.
    if (underlay.equals(namespace + "o")) {
      run("ip", "netns", "add", underlay);
      outside("ip", "link", "add", "under0", "type", "bridge");
      outside("ip", "addr", "add", "192.168.77.254/24", "dev", "under0");
      outside("ip", "link", "set", "under0", "up");
    }
    inside("ip", "link", "add", "under0", "type", "veth", "peer", "name", "port" + number, "netns", underlay);
    outside("ip", "link", "set", "port" + number, "master", "under0", "up");
    inside("ip", "addr", "add", address() + "/24", "dev", "under0");
    inside("ip", "link", "set", "under0", "up");
    Files.writeString(folder.resolve("resolv.conf"), "nameserver 127.0.0.1\n");
  }

  void startDaemon() throws Exception {
    String dockerd =
        "mount --bind " + folder.resolve("resolv.conf") + " /etc/resolv.conf; exec dockerd --host unix://" + socket() + " --data-root " + folder.resolve("data")
            + " --exec-root " + folder.resolve("exec") + " --pidfile " + folder.resolve("pid") + " --bip 172.31.255.1/24 --storage-driver overlay2";
    daemon =
        new ProcessBuilder("nsenter", "--net=/var/run/netns/" + namespace, "unshare", "-m", "sh", "-c", dockerd)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("dockerd.log").toFile()))
            .start();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < deadline) {
      if (daemon.waitFor(50, TimeUnit.MILLISECONDS)) {
        throw new IOException("dockerd ended:\n" + Files.readString(folder.resolve("dockerd.log")));
      }
      if (Files.exists(socket()) && quiet(docker("version"))) {
        return;
      }
    }
    throw new IOException("dockerd does not answer:\n" + Files.readString(folder.resolve("dockerd.log")));
  }

  void stopDaemon(boolean hard) throws Exception {
    if (hard) {
      daemon.destroyForcibly();
    } else {
      daemon.destroy();
    }
    if (!daemon.waitFor(40, TimeUnit.SECONDS)) {
      daemon.destroyForcibly().waitFor();
    }
    stopContainerd();
  }

  /** It ends with its dockerd, but a little later; a next dockerd that finds it ending gives up. */
  private void stopContainerd() throws Exception {
    Path pid = folder.resolve("exec/containerd/containerd.pid");
    if (Files.exists(pid)) {
      ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
          .filter(process -> process.info().command().orElse("").contains("containerd"))
          .ifPresent(ProcessHandle::destroyForcibly);
      Files.delete(pid); // nobody may be there to bury it, and a dead one would be taken for alive
    }
  }

  private void importBusybox() throws Exception {
    Path root = folder.resolve("image");
    Files.createDirectories(root.resolve("bin"));
    Files.createDirectories(root.resolve("etc"));
    Files.copy(Path.of("/bin/busybox"), root.resolve("bin/busybox"));
    for (String name : List.of("sh", "sleep", "httpd", "hostname", "nslookup", "cat", "nc", "wget", "ip", "echo", "ping", "timeout", "true", "false", "test", "touch", "rm")) {
      Files.createSymbolicLink(root.resolve("bin/" + name), Path.of("busybox"));
    }
    run("sh", "-c", "tar -C " + root + " -c . | " + String.join(" ", docker("import", "-", "busybox:test")));
  }

  List<String> docker(String... arguments) {
    List<String> line = new ArrayList<>(List.of("docker", "-H", "unix://" + socket()));
    line.addAll(List.of(arguments));
    return line;
  }

  /** Output of the docker command line. */
  String cli(String... arguments) throws Exception {
    return run(docker(arguments).toArray(String[]::new)).strip();
  }

  /** Output of a program in the engine's network namespace. */
  String inside(String... command) throws Exception {
    List<String> line = new ArrayList<>(prefix());
    line.addAll(List.of(command));
    return run(line.toArray(String[]::new));
  }

  /** Output of a program on a host of the engine's underlay that is no node: 192.168.77.254. */
  String outside(String... command) throws Exception {
    List<String> line = new ArrayList<>(List.of("nsenter", "--net=/var/run/netns/" + underlay));
    line.addAll(List.of(command));
    return run(line.toArray(String[]::new));
  }

  boolean insideQuiet(String... command) throws Exception {
    List<String> line = new ArrayList<>(prefix());
    line.addAll(List.of(command));
    return quiet(line);
  }

  private static boolean quiet(List<String> line) throws Exception {
    Process process = new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      return false;
    }
    return process.exitValue() == 0;
  }

  static String run(String... line) throws Exception {
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", line) + ": " + output);
    }
    return output;
  }

  @Override
  public void close() throws Exception {
    if (daemon != null && daemon.isAlive()) {
      for (String id : String.join("", run("sh", "-c", String.join(" ", docker("ps", "-aq")) + " || true")).lines().toList()) {
        quiet(docker("rm", "-f", "-v", id));
      }
      stopDaemon(false);
    }
    Namespaces.remove(namespace);
    if (underlay.equals(namespace + "o")) {
      Namespaces.remove(underlay);
    }
  }
}
