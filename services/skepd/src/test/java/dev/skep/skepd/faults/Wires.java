package dev.skep.skepd.faults;

import dev.skep.testkit.net.Site;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A network of namespaces, one for each process, and a bridge between them. Made inside a network namespace that this
 * process has for itself, so that all of it is gone when the process is.
 */
final class Wires {
  /** Where this process itself is. */
  static final String HERE = "10.77.0.1";

  private int hosts = 1;

  Wires() throws IOException, InterruptedException {
    Files.createDirectories(Path.of("/run/netns"));
    Shell.run("mount", "-t", "tmpfs", "tmpfs", "/run/netns"); // others' namespaces are none of our business
    Shell.run("ip", "link", "set", "lo", "up");
    Shell.run("ip", "link", "add", "wires", "type", "bridge", "forward_delay", "0");
    Shell.run("ip", "addr", "add", HERE + "/24", "dev", "wires");
    Shell.run("ip", "link", "set", "wires", "up");
  }

  /** One more namespace, of this name. */
  Site host(String name, Optional<Path> folder) throws IOException, InterruptedException {
    String address = "10.77.0." + ++hosts;
    Shell.run("ip", "netns", "add", name);
    Shell.run("ip", "link", "add", port(name), "type", "veth", "peer", "name", "eth0", "netns", name);
    Shell.run("ip", "-n", name, "addr", "add", address + "/24", "dev", "eth0");
    Shell.run("ip", "-n", name, "link", "set", "lo", "up");
    Shell.run("ip", "-n", name, "link", "set", "eth0", "up");
    Shell.run("ip", "link", "set", port(name), "up", "master", "wires");
    return new Site(address, List.of("nsenter", "--net=/run/netns/" + name), folder);
  }

  private static String port(String name) {
    return "w-" + name;
  }

  /** Nothing reaches it or comes from it any more, and nobody is told. */
  void cut(String name) throws IOException, InterruptedException {
    Shell.run("ip", "link", "set", port(name), "nomaster");
  }

  void mend(String name) throws IOException, InterruptedException {
    Shell.run("ip", "link", "set", port(name), "master", "wires");
  }
}
