package dev.skep.agent.shell;

import dev.skep.feed.v1.EdgeConfig;
import dev.skep.feed.v1.EdgePort;
import dev.skep.feed.v1.EdgeReport;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.runtime.feed.FeedServer;
import dev.skep.state.v1.PortProblem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The edge of this node as the agent sees it: what it is told, what it reports. */
final class Edges implements AutoCloseable {
  /** Under this epoch the edge is told that there is nothing (any more). */
  private static final String NO_CLUSTER = "no-cluster";
  private static final String DNS_PORT = "dns-port";
  private static final Logger LOG = LoggerFactory.getLogger(Edges.class);

  private final FeedServer server;
  private final int expected;
  private final Path portFile;
  private volatile int lastDnsPort;
  private volatile Runnable moved = () -> {};

  /** @param memory the agent's folder: where the resolver was found last is kept there */
  Edges(Path socket, Path memory, int expected, Executor agent) throws IOException {
    this.expected = expected;
    this.portFile = memory.resolve(DNS_PORT);
    this.lastDnsPort = remembered();
    this.server = new FeedServer(socket, _ -> agent.execute(() -> moved.run()));
    server.start();
  }

  /** {@code listener} runs on the agent's thread after every report. */
  void follow(String nodeId, Runnable listener) {
    moved = listener;
    server.configure(EdgeConfig.newBuilder().setNodeId(nodeId).addAllUpstreamDns(NodeFacts.resolvers()).build());
  }

  void publish(FeedUpdate update) {
    server.publish(update);
  }

  /** The node left its cluster: ports are closed and names forgotten. */
  void clear() {
    moved = () -> {};
    server.publish(FeedUpdate.newBuilder().setEpoch(NO_CLUSTER).setComplete(true).build());
  }

  /** What all components of the edge have applied; an absent one may still serve what it knew, so nothing counts then. */
  long applied(String epoch) {
    return server.connected().size() < expected ? 0 : server.appliedByAll(epoch).orElse(Long.MAX_VALUE);
  }

  /** While the resolver has not reported it is where it was: an agent that starts must not turn names off until then. */
  int dnsPort() {
    int port = server.connected().stream().mapToInt(EdgeReport::getDnsPort).filter(p -> p != 0).findFirst().orElse(lastDnsPort);
    if (port != lastDnsPort) {
      lastDnsPort = port;
      remember(port);
    }
    return port;
  }

  private int remembered() {
    try {
      return Files.exists(portFile) ? Integer.parseInt(Files.readString(portFile).strip()) : 0;
    } catch (IOException | NumberFormatException e) {
      LOG.warn("{} cannot be read: {}; names resolve when the edge has reported", portFile, e.toString());
      return 0;
    }
  }

  private void remember(int port) {
    Path fresh = portFile.resolveSibling(DNS_PORT + ".new");
    try {
      Files.writeString(fresh, Integer.toString(port));
      Files.move(fresh, portFile, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      LOG.warn("{} cannot be written: {}; after a restart names resolve when the edge has reported", portFile, e.toString());
    }
  }

  List<PortProblem> problems(String hostname) {
    List<PortProblem> problems = new ArrayList<>();
    for (EdgeReport report : server.connected()) {
      for (EdgePort port : report.getPortsList()) {
        if (!port.getProblem().isEmpty()) {
          problems.add(
              PortProblem.newBuilder()
                  .setProtocol(port.getProtocol())
                  .setPort(port.getPort())
                  .setReason(String.format(
                      "port %d/%s on node %s: %s", port.getPort(), port.getProtocol(), hostname, port.getProblem()))
                  .build());
        }
      }
    }
    return problems;
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
