package dev.skep.ingress;

import dev.skep.runtime.config.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How the ingress runs.
 *
 * @param feedSocket where the agent offers the feed; empty: {@code edge.sock} in the run folder
 * @param eventLoops threads that move bytes
 * @param connectTimeout how long one task may take to accept before the next one is tried
 * @param attempts tasks tried for one connection
 * @param rest how long a task that could not be reached is passed over while others are there
 * @param maxConnections open TCP connections of this node; beyond, new ones are reset at once
 * @param bufferBytes what may wait for a slow reader, for each direction of a connection, before its writer is stopped
 * @param maxFlows open UDP flows of this node; beyond, the one idle for the longest time gives way
 * @param flowIdle silence after which a UDP flow is forgotten
 * @param drain how long open connections may last after the end was asked for
 */
public record IngressConfig(
    Optional<Path> feedSocket,
    int eventLoops,
    Duration connectTimeout,
    int attempts,
    Duration rest,
    int maxConnections,
    int bufferBytes,
    int maxFlows,
    Duration flowIdle,
    Duration drain) {
  public static IngressConfig defaults() {
    return new IngressConfig(
        Optional.empty(),
        Math.min(2, Runtime.getRuntime().availableProcessors()),
        Duration.ofMillis(250),
        4,
        Duration.ofSeconds(1),
        16_384,
        128 << 10,
        8_192,
        Duration.ofSeconds(60),
        Duration.ofSeconds(10));
  }

  /** Reads the keys {@code feed-socket}, {@code event-loops}, …; what is not given has the default. */
  public static IngressConfig from(Settings settings) {
    IngressConfig otherwise = defaults();
    return new IngressConfig(
        settings.text("feed-socket").map(Path::of),
        (int) settings.number("event-loops", otherwise.eventLoops),
        settings.duration("connect-timeout", otherwise.connectTimeout),
        (int) settings.number("attempts", otherwise.attempts),
        settings.duration("rest", otherwise.rest),
        (int) settings.number("max-connections", otherwise.maxConnections),
        (int) settings.number("buffer-bytes", otherwise.bufferBytes),
        (int) settings.number("max-flows", otherwise.maxFlows),
        settings.duration("flow-idle", otherwise.flowIdle),
        settings.duration("drain", otherwise.drain));
  }

  public IngressConfig withFeedSocket(Path socket) {
    return new IngressConfig(
        Optional.of(socket), eventLoops, connectTimeout, attempts, rest, maxConnections, bufferBytes, maxFlows, flowIdle, drain);
  }

  public IngressConfig withEventLoops(int loops) {
    return new IngressConfig(
        feedSocket, loops, connectTimeout, attempts, rest, maxConnections, bufferBytes, maxFlows, flowIdle, drain);
  }

  public IngressConfig withLimits(int connections, int flows) {
    return new IngressConfig(feedSocket, eventLoops, connectTimeout, attempts, rest, connections, bufferBytes, flows, flowIdle, drain);
  }

  public IngressConfig withDrain(Duration bound) {
    return new IngressConfig(
        feedSocket, eventLoops, connectTimeout, attempts, rest, maxConnections, bufferBytes, maxFlows, flowIdle, bound);
  }

  public IngressConfig withFlowIdle(Duration idle) {
    return new IngressConfig(
        feedSocket, eventLoops, connectTimeout, attempts, rest, maxConnections, bufferBytes, maxFlows, idle, drain);
  }
}
