package dev.skep.controlapi;

import dev.skep.api.v1.InitRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.shell.ApiServer;
import dev.skep.controlapi.shell.engine.Engine;
import dev.skep.controlapi.shell.engine.EngineFacts;
import dev.skep.controlapi.shell.http.Address;
import dev.skep.runtime.Component;
import dev.skep.runtime.Host;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Serves the Docker Engine API and the gRPC service Control, and writes what they ask. */
public final class ControlApi implements Component {
  private final ControlApiConfig config;
  private volatile ApiServer server;

  public ControlApi(ControlApiConfig config) {
    this.config = config;
  }

  @Override
  public String name() {
    return "control-api";
  }

  /** Throws with the way out when the engine is in native swarm mode. */
  @Override
  public void start(Host host) throws Exception {
    Optional<String> refusal = engineRefusal(host, config.engine());
    if (refusal.isPresent()) {
      throw new IllegalStateException(refusal.get());
    }
    server = new ApiServer(host, config.engine(), config.limits(), config.nodeWait(), config.distributionLimit());
    for (Address address : config.api()) {
      server.listen(address);
    }
    if (config.grpc().isPresent()) {
      server.serveGrpc(config.grpc().get());
    }
  }

  /**
   * Why the engine behind this socket cannot be used: one sentence with the way out; empty when it can be, or when none
   * answers, which is not a reason to refuse: it may come later.
   */
  public static Optional<String> engineRefusal(Host host, Path socket) {
    try {
      return EngineFacts.refusal(new Engine(socket, host));
    } catch (IOException _) { // no engine yet
      return Optional.empty();
    }
  }

  /**
   * Makes this node a cluster of one, as {@code docker swarm init} does, and answers the node's id; the id of the present
   * one if it is in a cluster already. For the process's own start; throws with Docker's text when it cannot be done.
   */
  public String ensureCluster() {
    Answer<String> node = server.init(InitRequest.getDefaultInstance());
    return switch (node) {
      case Answer.Ok<String>(String id) -> id;
      case Answer.Refused<String>(ApiError error) -> throw new IllegalStateException(error.message());
    };
  }

  /** Where the API answers; a port 0 of the configuration is the real one here. */
  public List<SocketAddress> addresses() {
    return server.addresses();
  }

  @Override
  public void stop() throws Exception {
    ApiServer running = server;
    if (running != null) {
      running.close();
    }
  }
}
