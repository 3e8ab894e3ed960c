package dev.skep.agent.shell;

import com.fasterxml.jackson.databind.JsonNode;
import dev.skep.agent.core.ApiVersion;
import dev.skep.agent.core.ContainerBody;
import dev.skep.agent.core.Observation;
import dev.skep.agent.core.Observation.Health;
import dev.skep.agent.core.Ownership;
import dev.skep.agent.core.Placeholders;
import dev.skep.agent.shell.EngineException.Refused;
import dev.skep.api.v1.PortConfig;
import dev.skep.dispatcher.v1.AttachmentAssignment;
import dev.skep.dispatcher.v1.TaskAssignment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Carries out a task's effects on the engine and looks at its container. Blocking. */
final class Containers {
  /** What stands around every container of this node. */
  record Node(Ownership ownership, String hostname, String architecture, String os) {}

  /** A look at a container: what it does, and the host ports it was given. {@code finished}: when it ended. */
  record Look(Observation seen, List<PortConfig> hostPorts, Instant finished) {
    static Look of(Observation seen) {
      return new Look(seen, List.of(), Instant.EPOCH);
    }
  }

  private final Engine engine;
  private final Path resolvFolder;

  Containers(Engine engine, Path resolvFolder) {
    this.engine = engine;
    this.resolvFolder = resolvFolder;
  }

  /** A container is found by its name, which holds the task's id. */
  static String address(TaskAssignment task) {
    return "/containers/" + Engine.encode(Ownership.containerName(task));
  }

  Look look(TaskAssignment task) throws EngineException {
    JsonNode container;
    try {
      container = engine.get(address(task) + "/json");
    } catch (Refused refused) {
      if (refused.status() == 404) {
        return Look.of(new Observation.Absent());
      }
      throw refused;
    }
    String id = container.path("Id").asText();
    JsonNode state = container.path("State");
    JsonNode health = state.path("Health");
    boolean checked = !health.isMissingNode() && !health.path("Status").asText("none").equals("none");
    return switch (state.path("Status").asText()) {
      case "running", "paused", "restarting" ->
          new Look(new Observation.Running(id, state.path("Pid").asLong(), health(checked, health)), ports(task, container), Instant.EPOCH);
      case "created" -> Look.of(new Observation.Created(id, unconnected(task, container)));
      default ->
          new Look(
              new Observation.Exited(id, state.path("ExitCode").asLong(), state.path("Error").asText(""), checked),
              List.of(),
              time(state.path("FinishedAt").asText()));
    };
  }

  private static Health health(boolean checked, JsonNode health) {
    return !checked
        ? Health.NONE
        : switch (health.path("Status").asText()) {
          case "healthy" -> Health.HEALTHY;
          case "unhealthy" -> Health.UNHEALTHY;
          default -> Health.STARTING;
        };
  }

  private static Instant time(String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      return Instant.EPOCH;
    }
  }

  private static List<String> unconnected(TaskAssignment task, JsonNode container) {
    JsonNode networks = container.path("NetworkSettings").path("Networks");
    return task.getAttachmentsList().stream()
        .map(AttachmentAssignment::getNetworkId)
        .filter(id -> !networks.has(Ownership.engineNetwork(id)))
        .toList();
  }

  private static List<PortConfig> ports(TaskAssignment task, JsonNode container) {
    List<PortConfig> ports = new ArrayList<>();
    for (PortConfig wanted : task.getHostPortsList()) {
      String protocol = wanted.getProtocol().isEmpty() ? "tcp" : wanted.getProtocol();
      JsonNode bound = container.path("NetworkSettings").path("Ports").path(wanted.getTargetPort() + "/" + protocol);
      for (JsonNode binding : bound) {
        int number = Integer.parseInt(binding.path("HostPort").asText("0"));
        boolean known = ports.stream().anyMatch(p -> p.getTargetPort() == wanted.getTargetPort() && p.getPublishedPort() == number);
        if (!known && (wanted.getPublishedPort() == 0 || wanted.getPublishedPort() == number)) {
          ports.add(wanted.toBuilder().setProtocol(protocol).setPublishedPort(number).setPublishMode("host").build());
        }
      }
    }
    return ports;
  }

  /** @param resolver the gateway of the task's first network; empty when it has none */
  Look create(TaskAssignment task, Node node, String resolver) throws EngineException {
    ApiVersion api = engine.version();
    Map<String, Object> body;
    try {
      body =
          ContainerBody.of(
              task,
              new ContainerBody.Setting(
                  node.ownership(), api, node.hostname(), node.architecture(), node.os(), resolver, resolvConf(task, resolver)));
    } catch (Placeholders.Unknown unknown) {
      throw new Refused(400, unknown.getMessage());
    }
    try {
      JsonNode created = engine.post("/containers/create?name=" + Engine.encode(Ownership.containerName(task)), body);
      return Look.of(new Observation.Created(created.path("Id").asText(), ContainerBody.joinedLater(task, api)));
    } catch (Refused refused) {
      if (refused.status() == 409) {
        Look there = look(task); // an earlier life of this agent made it and did not live to see the answer
        if (!(there.seen() instanceof Observation.Absent)) {
          return there;
        }
      }
      throw refused;
    }
  }

  private Optional<String> resolvConf(TaskAssignment task, String resolver) {
    return ContainerBody.resolvConf(task, resolver)
        .map(
            text -> {
              Path file = resolvFolder.resolve(task.getId());
              try {
                Files.createDirectories(resolvFolder);
                Files.writeString(file, text);
              } catch (IOException e) {
                throw new UncheckedIOException("cannot write " + file, e);
              }
              return file.toString();
            });
  }

  void connect(TaskAssignment task, String networkId) throws EngineException {
    AttachmentAssignment attachment =
        task.getAttachmentsList().stream().filter(a -> a.getNetworkId().equals(networkId)).findFirst().orElseThrow();
    engine.post(
        "/networks/" + Ownership.engineNetwork(networkId) + "/connect",
        Map.of("Container", Ownership.containerName(task), "EndpointConfig", ContainerBody.endpoint(attachment, engine.version())));
  }

  void start(TaskAssignment task) throws EngineException {
    engine.post(address(task) + "/start", null);
  }

  void stop(TaskAssignment task, Duration grace) throws EngineException {
    stop(address(task), grace);
  }

  /** @param address path of a container */
  void stop(String address, Duration grace) throws EngineException {
    try {
      engine.post(address + "/stop?t=" + Math.ceilDiv(grace.toMillis(), 1000L), null);
    } catch (Refused refused) {
      if (refused.status() != 404) {
        throw refused;
      }
    }
  }

  void remove(TaskAssignment task) throws EngineException {
    remove(address(task));
    try {
      Files.deleteIfExists(resolvFolder.resolve(task.getId()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void remove(String address) throws EngineException {
    try {
      engine.delete(address + "?force=1&v=1");
    } catch (Refused refused) {
      // Gone already, or another removal of it is under way.
      if (refused.status() != 404 && refused.status() != 409) {
        throw refused;
      }
    }
  }
}
