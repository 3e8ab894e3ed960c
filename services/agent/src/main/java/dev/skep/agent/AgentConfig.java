package dev.skep.agent;

import dev.skep.runtime.config.Settings;
import dev.skep.runtime.feed.FeedServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Configuration of a node's agent.
 *
 * @param engine the Docker engine's unix socket
 * @param instance "" for the machine's only node, else four hex digits: part of every name in the kernel and on the engine
 * @param feedSocket where the edge finds the feed; {@code feed.sock} in the host's run folder when empty
 * @param edges how many edge components must have applied a feed revision before it counts as applied on this node
 * @param starts containers that are created or started at the same time
 * @param removals containers that are removed at the same time
 * @param mtu of overlay bridges; 0: the underlay's less 50
 * @param pullPatience how long a pull may be silent before a local image is used instead
 * @param watch how often host facts, host firewall and our rules are looked at again
 * @param commandPrefix put before every program that looks at or changes the network, e.g. to enter a namespace
 * @param controlServices this process starts control services when the node is a manager, so that it can be made one
 */
public record AgentConfig(
    Path engine,
    String instance,
    Optional<Path> feedSocket,
    int edges,
    int starts,
    int removals,
    int mtu,
    Duration pullPatience,
    Duration watch,
    List<String> commandPrefix,
    boolean controlServices) {

  public static AgentConfig defaults() {
    return new AgentConfig(
        Path.of("/var/run/docker.sock"), "", Optional.empty(), 2, 20, 20, 0, Duration.ofSeconds(3), Duration.ofSeconds(10), List.of(), true);
  }

  /** Reads the keys {@code engine}, {@code instance}, {@code agent.starts}, {@code agent.removals}; the edge's socket is in the run folder. */
  public static AgentConfig from(Settings settings, Path run) {
    AgentConfig otherwise = defaults();
    Settings own = settings.of("agent");
    return otherwise
        .withEngine(Path.of(settings.text("engine", "unix://" + otherwise.engine).replaceFirst("^unix://", "")))
        .withInstance(settings.text("instance", otherwise.instance))
        .withFeedSocket(run.resolve(FeedServer.SOCKET))
        .withParallelism((int) own.number("starts", otherwise.starts), (int) own.number("removals", otherwise.removals));
  }

  public AgentConfig withEngine(Path socket) {
    return new AgentConfig(socket, instance, feedSocket, edges, starts, removals, mtu, pullPatience, watch, commandPrefix, controlServices);
  }

  public AgentConfig withInstance(String name) {
    return new AgentConfig(engine, name, feedSocket, edges, starts, removals, mtu, pullPatience, watch, commandPrefix, controlServices);
  }

  public AgentConfig withFeedSocket(Path socket) {
    return new AgentConfig(engine, instance, Optional.of(socket), edges, starts, removals, mtu, pullPatience, watch, commandPrefix, controlServices);
  }

  public AgentConfig withEdges(int components) {
    return new AgentConfig(engine, instance, feedSocket, components, starts, removals, mtu, pullPatience, watch, commandPrefix, controlServices);
  }

  public AgentConfig withParallelism(int starting, int removing) {
    return new AgentConfig(engine, instance, feedSocket, edges, starting, removing, mtu, pullPatience, watch, commandPrefix, controlServices);
  }

  public AgentConfig withCommandPrefix(List<String> prefix) {
    return new AgentConfig(engine, instance, feedSocket, edges, starts, removals, mtu, pullPatience, watch, List.copyOf(prefix), controlServices);
  }

  public AgentConfig withWatch(Duration period) {
    return new AgentConfig(engine, instance, feedSocket, edges, starts, removals, mtu, pullPatience, period, commandPrefix, controlServices);
  }

  public AgentConfig withControlServices(boolean here) {
    return new AgentConfig(engine, instance, feedSocket, edges, starts, removals, mtu, pullPatience, watch, commandPrefix, here);
  }
}
