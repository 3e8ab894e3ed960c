package dev.skep.controlapi;

import dev.skep.controlapi.shell.http.Address;
import dev.skep.controlapi.shell.http.Limits;
import dev.skep.runtime.config.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * @param api where the Docker API answers: {@code unix:///…} and {@code tcp://127.0.0.1:…}
 * @param engine the engine's unix socket
 * @param grpc the unix socket of the gRPC service Control; empty: in this process only
 * @param limits of the HTTP edge
 * @param nodeWait how long swarm init waits for this node's agent to report, so that its address can be shown
 * @param distributionLimit how long a registry may take to answer; every create waits for it
 */
public record ControlApiConfig(
    List<Address> api, Path engine, Optional<Path> grpc, Limits limits, Duration nodeWait, Duration distributionLimit) {
  public static final Path DEFAULT_SOCKET = Path.of("/run/skep/docker.sock");
  public static final Path DEFAULT_ENGINE = Path.of("/var/run/docker.sock");

  public ControlApiConfig {
    api = List.copyOf(api);
  }

  public static ControlApiConfig defaults() {
    return new ControlApiConfig(
        List.of(new Address.UnixSocket(DEFAULT_SOCKET)), DEFAULT_ENGINE, Optional.empty(), Limits.DEFAULT, Duration.ofSeconds(5),
            Duration.ofSeconds(3));
  }

  /** Reads the keys {@code api} and {@code engine}; sockets of its own are in the run folder. */
  public static ControlApiConfig from(Settings settings, Path run) {
    String engine = settings.text("engine", "unix://" + DEFAULT_ENGINE);
    String api = settings.text("api", "unix://" + run.resolve("docker.sock"));
    return defaults().withApi(List.of(api.split(","))).withEngine(Path.of(engine.replaceFirst("^unix://", ""))).withGrpc(run.resolve("control.sock"));
  }

  /** As the launcher has them: {@code unix:///…} and {@code tcp://…}. Throws IllegalArgumentException with the reason. */
  public ControlApiConfig withApi(List<String> addresses) {
    return new ControlApiConfig(addresses.stream().map(Address::parse).toList(), engine, grpc, limits, nodeWait, distributionLimit);
  }

  public ControlApiConfig withEngine(Path socket) {
    return new ControlApiConfig(api, socket, grpc, limits, nodeWait, distributionLimit);
  }

  public ControlApiConfig withGrpc(Path socket) {
    return new ControlApiConfig(api, engine, Optional.of(socket), limits, nodeWait, distributionLimit);
  }

  public ControlApiConfig withLimits(Limits other) {
    return new ControlApiConfig(api, engine, grpc, other, nodeWait, distributionLimit);
  }

  public ControlApiConfig withNodeWait(Duration wait) {
    return new ControlApiConfig(api, engine, grpc, limits, wait, distributionLimit);
  }
}
