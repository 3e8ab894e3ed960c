package dev.skep.skepd;

import dev.skep.agent.AgentComponent;
import dev.skep.agent.AgentConfig;
import dev.skep.api.v1.JoinRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.shell.Founding;
import dev.skep.runtime.host.HostBuilder;
import dev.skep.runtime.host.NodeHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** A node with a real agent, and an engine that only pretends to run containers and tells of each. */
public final class PretendedNode implements AutoCloseable {
  private final RehearsalEngine engine;
  private final NodeHost host;

  private PretendedNode(RehearsalEngine engine, NodeHost host) {
    this.engine = engine;
    this.host = host;
  }

  /**
   * @param identity who this node is; several processes of a manager share it
   * @param peers where control services answer, by component
   * @param seen is told of every container that starts, dies or goes: its task, and the engine's word for it
   */
  public static PretendedNode start(
      Path folder, Path identity, Map<String, List<String>> peers, BiConsumer<String, String> seen, BiConsumer<String, Throwable> fatal)
      throws Exception {
    Files.createDirectories(folder);
    Path socket = folder.resolve("engine.sock");
    RehearsalEngine engine = new RehearsalEngine(socket, seen);
    try {
      AgentConfig config = Rehearsal.harmless(
          AgentConfig.defaults().withEngine(socket).withInstance("ffff").withFeedSocket(folder.resolve("feed.sock")).withControlServices(false));
      NodeHost host = HostBuilder.named(folder.getFileName().toString()).data(folder.resolve("data")).identity(identity).peers(peers)
          .onFatal(fatal).component(new AgentComponent(config)).startNode();
      return new PretendedNode(engine, host);
    } catch (Exception e) {
      engine.close();
      throw e;
    }
  }

  /** An engine alone, for a process that wants one. */
  public static AutoCloseable engine(Path socket) throws IOException {
    return new RehearsalEngine(socket);
  }

  /** Makes the identity of a worker, before it starts. */
  public static void join(Path folder, Path identity, String token, String address, List<String> managers) throws Exception {
    JoinRequest request = JoinRequest.newBuilder().addAllRemoteAddrs(managers).setJoinToken(token).setAdvertiseAddr(address).build();
    try (NodeHost host = HostBuilder.named("join").data(folder.resolve("join")).identity(identity).startNode()) {
      if (Founding.join(host, request) instanceof Answer.Refused<String>(var error)) {
        throw new AssertionError("the node cannot join: " + error.message());
      }
    }
  }

  public String id() {
    return host.membership().current().orElseThrow().nodeId();
  }

  @Override
  public void close() {
    host.close();
    try {
      engine.close();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
