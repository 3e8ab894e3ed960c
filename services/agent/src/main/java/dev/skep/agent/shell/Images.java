package dev.skep.agent.shell;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.github.dockerjava.transport.DockerHttpClient.Request.Method;
import com.github.dockerjava.transport.DockerHttpClient.Response;
import dev.skep.agent.shell.EngineException.Refused;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.runtime.Host;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes images available. As in swarm mode every task asks the registry; tasks that ask for the same image at the same
 * time ask once. What the registry says is no reason to fail: a local image will do, and without one the creation of the
 * container says so.
 */
final class Images {
  private static final Logger LOG = LoggerFactory.getLogger(Images.class);
  /** So long an answer of the registry is good for other tasks. */
  private static final Duration FRESH = Duration.ofSeconds(5);
  private static final Duration LONGEST = Duration.ofMinutes(30);
  private static final int MANY = 1000;

  private record Pull(CompletableFuture<Void> done, AtomicReference<Instant> lastWord, Instant began) {}

  private final Engine engine;
  private final Host host;
  private final Duration patience;
  private final AgentMetrics metrics;
  private final Set<String> refused = ConcurrentHashMap.newKeySet(); // images whose failed pull was told already
  private final Map<String, Pull> pulls = new HashMap<>(); // the agent's thread only

  Images(Engine engine, Host host, Duration patience, AgentMetrics metrics) {
    this.engine = engine;
    this.host = host;
    this.patience = patience;
    this.metrics = metrics;
  }

  /** On the agent's thread; the returned wait is for a thread that may block. */
  Wait want(TaskAssignment task) {
    String image = task.getSpec().getContainerSpec().getImage();
    String key = image + "\n" + task.getRegistryAuth();
    Instant now = host.clock().instant();
    pulls.values().removeIf(pull -> pull.done().isDone() && pull.began().plus(FRESH).isBefore(now));
    Pull pull =
        pulls.computeIfAbsent(
            key,
            _ -> {
              Pull fresh = new Pull(new CompletableFuture<>(), new AtomicReference<>(now), now);
              host.blocking("agent-pull", () -> pull(image, task.getRegistryAuth(), fresh));
              return fresh;
            });
    return () -> await(image, pull);
  }

  interface Wait {
    void await() throws EngineException, InterruptedException;
  }

  private void await(String image, Pull pull) throws EngineException, InterruptedException {
    Instant deadline = pull.began().plus(LONGEST);
    while (host.clock().instant().isBefore(deadline)) {
      try {
        pull.done().get(patience.toMillis(), TimeUnit.MILLISECONDS);
        return;
      } catch (TimeoutException silent) {
        boolean quiet = pull.lastWord().get().plus(patience).isBefore(host.clock().instant());
        if (quiet && local(image)) {
          LOG.info("the registry is silent about {}, the local image is used", image);
          return;
        }
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }
  }

  private void pull(String image, String auth, Pull pull) {
    try {
      if (!(image.contains("@sha256:") && local(image))) {
        stream(image, auth, pull);
        refused.remove(image);
        metrics.pulls().labels("done").inc();
      }
    } catch (EngineException e) {
      metrics.pulls().labels("failed").inc();
      // An image that no registry has is asked for with every task; one line tells it.
      if (refused.size() < MANY && refused.add(image)) {
        LOG.info("pull of {}: {}; a local image will do", image, e.getMessage());
      } else {
        LOG.debug("pull of {}: {}", image, e.getMessage());
      }
    } finally {
      pull.done().complete(null);
    }
  }

  private boolean local(String image) throws EngineException {
    try {
      engine.get("/images/" + image + "/json");
      return true;
    } catch (Refused refused) {
      if (refused.status() == 404) {
        return false;
      }
      throw refused;
    }
  }

  private void stream(String image, String auth, Pull pull) throws EngineException {
    Map<String, String> headers = auth.isEmpty() ? Map.of() : Map.of("X-Registry-Auth", auth);
    String tag = tagged(image) ? "" : "&tag=latest";
    try (Response response = engine.open(Method.POST, "/images/create?fromImage=" + Engine.encode(image) + tag, headers, null);
        BufferedReader lines = new BufferedReader(new InputStreamReader(response.getBody(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        pull.lastWord().set(host.clock().instant());
        JsonNode word = Engine.JSON.readTree(line);
        if (word.has("error")) {
          throw new Refused(500, word.path("error").asText());
        }
      }
    } catch (JsonProcessingException e) {
      throw new Refused(500, "an answer that is no JSON: " + e.getOriginalMessage());
    } catch (IOException | RuntimeException e) {
      throw new EngineException.Unreachable("the pull broke off: " + e, e);
    }
  }

  /** Without a tag the engine would pull every tag there is. */
  private static boolean tagged(String image) {
    return image.contains("@") || image.lastIndexOf(':') > image.lastIndexOf('/');
  }
}
