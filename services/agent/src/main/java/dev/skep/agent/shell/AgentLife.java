package dev.skep.agent.shell;

import dev.skep.agent.AgentConfig;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership.Identity;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Starts and ends a {@link NodeAgent} as the node gets and loses its identity. */
public final class AgentLife {
  private static final int LONGEST_END_SECONDS = 15; // a node that leaves cleans up first

  private final Host host;
  private final AgentConfig config;
  private final Mailbox agent = new Mailbox();
  private final AgentMetrics metrics;
  private final Engine engine;
  private final Edges edges;
  private final AutoCloseable membership;
  private Optional<NodeAgent> node = Optional.empty(); // the agent's thread only
  private Optional<Identity> identity = Optional.empty(); // the agent's thread only

  public AgentLife(Host host, AgentConfig config) throws IOException {
    String missing = Commands.missing();
    if (!missing.isEmpty()) {
      throw new IOException(missing);
    }
    this.host = host;
    this.config = config;
    this.metrics = AgentMetrics.of(host.metrics().registry());
    this.engine = new Engine(config.engine(), metrics);
    this.edges = new Edges(config.feedSocket().orElseGet(() -> host.runFolder().resolve("feed.sock")), host.dataFolder("agent"), config.edges(), agent);
    host.thread("agent", agent);
    this.membership = host.membership().listen(next -> agent.execute(() -> become(next)));
  }

  private void become(Optional<Identity> next) {
    if (next.map(AgentLife::who).equals(identity.map(AgentLife::who))) {
      return; // another role or address is no other node
    }
    node.ifPresent(NodeAgent::leave);
    identity = next;
    node = next.map(who -> new NodeAgent(host, config, agent, who, engine, edges, metrics));
    node.ifPresent(NodeAgent::start);
  }

  private static String who(Identity identity) {
    return identity.clusterId() + "/" + identity.nodeId();
  }

  public void close() throws Exception {
    membership.close();
    CountDownLatch ended = new CountDownLatch(1);
    agent.execute(
        () -> {
          node.ifPresent(NodeAgent::close);
          ended.countDown();
        });
    ended.await(LONGEST_END_SECONDS, TimeUnit.SECONDS);
    agent.close();
    edges.close();
    engine.close();
    metrics.unregister(host.metrics().registry());
  }
}
