package dev.skep.agent.shell;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.github.dockerjava.transport.DockerHttpClient.Request.Method;
import com.github.dockerjava.transport.DockerHttpClient.Response;
import dev.skep.agent.core.Ownership;
import dev.skep.runtime.Host;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What happens to our containers, as the engine tells it; and whether the engine is there at all. */
final class EngineEvents implements AutoCloseable {
  /** Told on the agent's thread. */
  interface Listener {
    /** The engine answers; what happened before this is unknown, so look at everything. */
    void up(Instant since);

    void down(Instant since, String why);

    /** Something happened to a task's container. {@code exitCode} is negative unless it ended. */
    void happened(String taskId, String action, long exitCode);
  }

  private static final Logger LOG = LoggerFactory.getLogger(EngineEvents.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(50);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);
  private static final List<String> ACTIONS = List.of("start", "die", "destroy", "health_status");

  private final Engine engine;
  private final Host host;
  private final Executor agent;
  private final Listener listener;
  private final String clusterId;
  private volatile boolean closed;
  private volatile Thread thread;
  private volatile Response open;

  EngineEvents(Engine engine, Host host, Executor agent, String clusterId, Listener listener) {
    this.engine = engine;
    this.host = host;
    this.agent = agent;
    this.clusterId = clusterId;
    this.listener = listener;
  }

  void start() {
    thread = host.blocking("agent-engine-events", this::run);
  }

  private void run() {
    Duration pause = FIRST_PAUSE;
    String said = "";
    while (!closed) {
      try {
        follow();
        pause = FIRST_PAUSE;
        said = "";
      } catch (EngineException e) {
        if (!closed && !said.equals(e.getMessage())) {
          said = e.getMessage();
          LOG.warn("{}; trying again", said);
        }
      }
      if (!closed) {
        try {
          Thread.sleep(pause);
        } catch (InterruptedException e) {
          return;
        }
        Duration doubled = pause.multipliedBy(2);
        pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
      }
    }
  }

  private void follow() throws EngineException {
    engine.forgetVersion();
    String ours = Ownership.CLUSTER + "=" + clusterId;
    String filters = Engine.filters(Map.of("type", List.of("container"), "event", ACTIONS, "label", List.of(ours)));
    try (Response response = engine.open(Method.GET, "/events?filters=" + filters, Map.of(), null);
        BufferedReader lines = new BufferedReader(new InputStreamReader(response.getBody(), StandardCharsets.UTF_8))) {
      open = response;
      Instant up = host.clock().instant();
      agent.execute(() -> listener.up(up));
      try {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          tell(Engine.JSON.readTree(line));
        }
      } catch (JsonProcessingException e) {
        LOG.warn("an event that is no JSON: {}", e.getOriginalMessage());
      } catch (IOException | RuntimeException e) {
        LOG.info("the engine's events broke off: {}", e.toString());
      }
    } catch (IOException | RuntimeException e) {
      LOG.debug("closing the engine's events: {}", e.toString());
    }
    open = null;
    Instant down = host.clock().instant();
    if (!closed) {
      agent.execute(() -> listener.down(down, "the engine's events ended"));
    }
  }

  private void tell(JsonNode event) {
    JsonNode labels = event.path("Actor").path("Attributes");
    String task = labels.path(Ownership.TASK).asText("");
    String action = event.path("Action").asText("");
    long exitCode = action.equals("die") ? labels.path("exitCode").asLong(0) : -1;
    if (!task.isEmpty()) {
      agent.execute(() -> listener.happened(task, action, exitCode));
    }
  }

  @Override
  public void close() {
    closed = true;
    Thread running = thread;
    if (running != null) {
      running.interrupt();
    }
  }
}
