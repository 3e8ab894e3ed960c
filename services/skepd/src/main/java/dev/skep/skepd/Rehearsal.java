package dev.skep.skepd;

import dev.skep.runtime.config.Settings;
import dev.skep.runtime.host.BasicHost;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The training run of the start-up cache: a process in a temporary folder, without an engine, that starts, answers the
 * calls of a user's first minute and ends. What it loads is what the cache holds.
 */
final class Rehearsal {
  private static final String SERVICE = """
      {"Name":"rehearsal","TaskTemplate":{"ContainerSpec":{"Image":"rehearsal:1"}},"Mode":{"Replicated":{"Replicas":1}},
       "EndpointSpec":{"Ports":[{"TargetPort":80,"PublishedPort":18080}]}}""";

  private Rehearsal() {}

  static void of(String name, Settings given, Launch.Start start) throws Exception {
    Path folder = Files.createTempDirectory("skep-rehearsal");
    try {
      SkepdConfig asked = SkepdConfig.from(given);
      Path socket = folder.resolve("docker.sock");
      SkepdConfig config = new SkepdConfig(
          folder.resolve("data"), folder.resolve("run"), "ffff", folder.resolve("no-engine.sock"), List.of("unix://" + socket), asked.metrics(), true);
      try (BasicHost host = start.start(Settings.load(Optional.empty(), Map.of(), List.of()), config)) {
        if (name.equals("skepd")) {
          calls(socket);
        }
        if (!host.ready()) {
          throw new IllegalStateException("the rehearsal of " + name + " did not become ready");
        }
      }
    } finally {
      delete(folder);
    }
  }

  /** The store keeps what they ask; no task can run, for there is no engine. */
  private static void calls(Path socket) throws IOException {
    call(socket, "GET", "/_ping", "");
    call(socket, "GET", "/v1.41/info", "");
    call(socket, "POST", "/v1.41/services/create", SERVICE);
    call(socket, "GET", "/v1.41/services?status=true", "");
    call(socket, "GET", "/v1.41/tasks", "");
    call(socket, "GET", "/v1.41/nodes", "");
  }

  private static void call(Path socket, String method, String path, String body) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      String request = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
      ByteBuffer answer = ByteBuffer.allocate(1 << 16);
      while (channel.read(answer) >= 0) {
        answer.clear();
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }
}
