package dev.skep.agent.shell;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.dockerjava.transport.DockerHttpClient;
import com.github.dockerjava.transport.DockerHttpClient.Request;
import com.github.dockerjava.transport.DockerHttpClient.Request.Method;
import com.github.dockerjava.transport.DockerHttpClient.Response;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import dev.skep.agent.core.ApiVersion;
import dev.skep.agent.shell.EngineException.Refused;
import dev.skep.agent.shell.EngineException.Unreachable;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Histogram;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * The Docker engine of this node, over docker-java's transport. Bodies are JSON trees: the command objects of docker-java
 * cannot carry every field of the API. Blocking; called on virtual threads. The API version is the engine's own, and never
 * newer than what this agent knows.
 */
public final class Engine implements AutoCloseable {
  static final ObjectMapper JSON = new ObjectMapper();
  private static final int CONNECTIONS = 512;
  private static final Duration CONNECT = Duration.ofSeconds(2);

  private final Path socket;
  private final AgentMetrics metrics;
  private final DockerHttpClient http;
  private final EngineCalls calls = new EngineCalls();
  private volatile ApiVersion version;

  /** For a command: nobody looks at what it measures. */
  public Engine(Path socket) {
    this(socket, AgentMetrics.of(new CollectorRegistry()));
  }

  Engine(Path socket, AgentMetrics metrics) {
    this.socket = socket;
    this.metrics = metrics;
    this.http =
        new ZerodepDockerHttpClient.Builder()
            .dockerHost(URI.create("unix://" + socket.toAbsolutePath()))
            .maxConnections(CONNECTIONS)
            .connectionTimeout(CONNECT)
            .build();
  }

  public ApiVersion version() throws EngineException {
    ApiVersion known = version;
    if (known == null) {
      try (Response response = send(Method.GET, "", "/version", Map.of(), null)) {
        known = ApiVersion.parse(read(response).path("ApiVersion").asText("1.24")).atMost(ApiVersion.NEWEST);
        version = known;
      }
    }
    return known;
  }

  /** After the engine was away another version of it may answer. */
  void forgetVersion() {
    version = null;
  }

  public JsonNode get(String path) throws EngineException {
    return call(Method.GET, path, Map.of(), null);
  }

  public JsonNode post(String path, Object body) throws EngineException {
    return call(Method.POST, path, Map.of(), body);
  }

  public void delete(String path) throws EngineException {
    call(Method.DELETE, path, Map.of(), null);
  }

  EngineCalls calls() {
    return calls;
  }

  /** Whether a new connection is answered at once. One that is ending still answers on old ones. */
  boolean accepts() {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        Selector selector = Selector.open()) {
      channel.configureBlocking(false);
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.write(ByteBuffer.wrap("GET /_ping HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
      channel.register(selector, SelectionKey.OP_READ);
      return selector.select(CONNECT.toMillis()) > 0 && channel.read(ByteBuffer.allocate(16)) > 0;
    } catch (IOException | RuntimeException refused) {
      return false;
    }
  }

  private JsonNode call(Method method, String path, Map<String, String> headers, Object body) throws EngineException {
    try (Response response = open(method, path, headers, body)) {
      return read(response);
    }
  }

  /** For answers that are read as they come; the caller closes. */
  Response open(Method method, String path, Map<String, String> headers, Object body) throws EngineException {
    return send(method, "/v" + version(), path, headers, body);
  }

  private Response send(Method method, String prefix, String path, Map<String, String> headers, Object body) throws EngineException {
    Request.Builder request = Request.builder().method(method).path(prefix + path);
    headers.forEach(request::putHeader);
    try {
      if (body != null) {
        request.putHeader("Content-Type", "application/json").body(new ByteArrayInputStream(JSON.writeValueAsBytes(body)));
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("a body that is no JSON", e);
    }
    String call = AgentMetrics.call(method.name(), path);
    Response response;
    EngineCalls.Waiting waiting = calls.begun(method.name(), path);
    try (Histogram.Timer _ = metrics.engineCalls().labels(call).startTimer()) {
      response = http.execute(request.build());
    } catch (RuntimeException e) {
      metrics.engineFailures().labels(call, "unreachable").inc();
      throw new Unreachable("the engine at " + socket + " does not answer: " + rootMessage(e), e);
    } finally {
      calls.answered(waiting);
    }
    if (response.getStatusCode() >= 400) {
      if (response.getStatusCode() != 404) {
        metrics.engineFailures().labels(call, "refused").inc();
      }
      try (response) {
        throw new Refused(response.getStatusCode(), message(read(response), response.getStatusCode()));
      }
    }
    return response;
  }

  private static String message(JsonNode error, int status) {
    String text = error.path("message").asText("").strip();
    return text.isEmpty() ? "the engine answered " + status : text;
  }

  private JsonNode read(Response response) throws Unreachable {
    try (InputStream in = response.getBody()) {
      byte[] bytes = in.readAllBytes();
      if (bytes.length == 0) {
        return JSON.missingNode();
      }
      try {
        return JSON.readTree(bytes);
      } catch (JsonProcessingException e) {
        return JSON.createObjectNode().put("message", new String(bytes, StandardCharsets.UTF_8));
      }
    } catch (IOException | RuntimeException e) {
      throw new Unreachable("the engine at " + socket + " broke off: " + rootMessage(e), e);
    }
  }

  private static String rootMessage(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }

  /** A value for a query or a path segment. */
  static String encode(String value) {
    return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
  }

  static String filters(Map<String, ?> filters) {
    try {
      return encode(JSON.writeValueAsString(filters));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("filters that are no JSON", e);
    }
  }

  @Override
  public void close() {
    try {
      http.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
