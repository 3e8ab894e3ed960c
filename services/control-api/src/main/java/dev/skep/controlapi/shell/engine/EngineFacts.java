package dev.skep.controlapi.shell.engine;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * What the engine says of itself to a ping.
 *
 * @param builder the Builder-Version header: which builder {@code docker build} is to use
 */
public record EngineFacts(ApiVersion version, String experimental, String osType, String builder) {
  private static final Duration LIMIT = Duration.ofSeconds(2);

  /** Before an engine was seen: Debian's. */
  public static final EngineFacts UNKNOWN = new EngineFacts(new ApiVersion(1, 41), "false", "linux", "");

  /** Asks; empty when no engine answers. */
  public static Optional<EngineFacts> ask(Engine engine) {
    try {
      EngineReply ping = engine.get("/_ping", LIMIT);
      Optional<ApiVersion> version = ApiVersion.parse(ping.header("Api-Version"));
      return version.map(
          known ->
              new EngineFacts(
                  known, or(ping.header("Docker-Experimental"), "false"), or(ping.header("Ostype"), "linux"),
                      ping.header("Builder-Version")));
    } catch (IOException _) { // an engine that is away is a state of the world, and the caller's to judge
      return Optional.empty();
    }
  }

  /**
   * Why this engine cannot be used; empty when it can. An engine in native swarm mode has its own overlay networks and
   * ingress on the ports and subnets that ours need.
   */
  public static Optional<String> refusal(Engine engine) throws IOException {
    EngineReply info = engine.get("/info", Duration.ofSeconds(10));
    String state = EngineJson.text(EngineJson.object(EngineJson.object(EngineJson.parse(info.body())).get("Swarm")).get("LocalNodeState"));
    if (!info.ok() || state.isEmpty() || state.equals("inactive")) {
      return Optional.empty();
    }
    return Optional.of(
        "the engine at "
            + engine.socket()
            + " is in native swarm mode ("
            + state
            + "): take it out with 'docker -H unix://"
            + engine.socket()
            + " swarm leave --force', or name another engine");
  }

  private static String or(String text, String otherwise) {
    return text.isEmpty() ? otherwise : text;
  }
}
