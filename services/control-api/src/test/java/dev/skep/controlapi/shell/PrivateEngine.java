package dev.skep.controlapi.shell;

import dev.skep.testkit.net.Namespaces;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A dockerd of the test's own: own socket, folders and network namespace, ended by its process. */
@SuppressWarnings("try") // closing waits for a process, which may be interrupted
final class PrivateEngine implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 60;

  private final Path folder;
  private final Process process;
  private final String namespace;

  private PrivateEngine(Path folder, Process process, String namespace) {
    this.folder = folder;
    this.process = process;
    this.namespace = namespace;
  }

  static PrivateEngine start() throws Exception {
    String namespace = Namespaces.fresh("api");
    Path folder = Namespaces.folder(namespace);
    run("ip", "netns", "add", namespace);
    run("ip", "-n", namespace, "link", "set", "lo", "up");
    Process process =
        new ProcessBuilder(
                "nsenter", "--net=/run/netns/" + namespace, "/usr/sbin/dockerd",
                "--host", "unix://" + folder.resolve("docker.sock"),
                "--data-root", folder.resolve("data").toString(),
                "--exec-root", folder.resolve("exec").toString(),
                "--pidfile", folder.resolve("docker.pid").toString(),
                "--group", "root")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    PrivateEngine engine = new PrivateEngine(folder, process, namespace);
    try {
      engine.awaitSocket();
      engine.importBusybox();
      return engine;
    } catch (Exception | AssertionError e) {
      engine.close();
      throw e;
    }
  }

  Path socket() {
    return folder.resolve("docker.sock");
  }

  private void awaitSocket() throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!answers()) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new AssertionError("dockerd did not start: see " + folder.resolve("log"));
      }
      process.waitFor(50, TimeUnit.MILLISECONDS); // the socket cannot be waited for
    }
  }

  private boolean answers() {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket()))) {
      return channel.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private void importBusybox() throws Exception {
    Path root = Files.createDirectory(folder.resolve("root"));
    Files.createDirectories(root.resolve("bin"));
    Files.createDirectories(root.resolve("tmp"));
    Files.copy(Path.of("/bin/busybox"), root.resolve("bin/busybox"));
    Files.setPosixFilePermissions(root.resolve("bin/busybox"), PosixFilePermissions.fromString("rwxr-xr-x"));
    for (String name : List.of("sh", "cat", "echo", "sleep", "wc", "true", "seq", "httpd", "head")) {
      Files.createSymbolicLink(root.resolve("bin/" + name), Path.of("busybox"));
    }
    run("sh", "-c", "tar -C " + root + " -c . | docker -H unix://" + socket() + " import - busybox:test");
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + ": " + output);
    }
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
    Namespaces.remove(namespace);
  }
}
