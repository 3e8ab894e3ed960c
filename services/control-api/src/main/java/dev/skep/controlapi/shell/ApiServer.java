package dev.skep.controlapi.shell;

import dev.skep.api.v1.InitRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.shell.engine.Engine;
import dev.skep.controlapi.shell.http.Address;
import dev.skep.controlapi.shell.http.FrontDoor;
import dev.skep.controlapi.shell.http.Limits;
import dev.skep.runtime.Host;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The running parts of control-api. */
public final class ApiServer implements AutoCloseable {
  private final Host host;
  private final Cluster cluster;
  private final EventFeed events;
  private final FrontDoor door;

  public ApiServer(Host host, Path engineSocket, Limits limits, Duration nodeWait, Duration distributionLimit) {
    this.host = host;
    Engine engine = new Engine(engineSocket, host);
    Commits commits = new Commits(host);
    this.cluster = new Cluster(host, commits, nodeWait);
    this.events = new EventFeed(host);
    DockerApi api = new DockerApi(host, cluster, commits, events, engine, distributionLimit);
    this.door = new FrontDoor(host, limits, engineSocket, api::commonHeaders, api::handle);
  }

  public void listen(Address address) throws IOException {
    door.listen(address);
  }

  public List<SocketAddress> addresses() {
    return door.addresses();
  }

  public void serveGrpc(Path socket) throws IOException {
    throw new IOException("not yet: " + socket);
  }

  /** As swarm init without anybody to ask; the present node's id when there is a cluster. */
  public Answer<String> init(InitRequest request) {
    return cluster
        .member(host.view().fresh(Commits.LIMIT))
        .map(member -> Answer.ok(member.nodeId()))
        .orElseGet(() -> cluster.init(request, true));
  }

  @Override
  public void close() throws IOException {
    door.close();
    events.close();
  }
}
