package dev.skep.controlapi.shell;

import dev.skep.api.v1.InitRequest;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.shell.engine.Engine;
import dev.skep.controlapi.shell.http.Address;
import dev.skep.controlapi.shell.http.FrontDoor;
import dev.skep.controlapi.shell.http.Limits;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.runtime.grpc.UnixSocketServer;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The running parts of control-api. */
public final class ApiServer implements AutoCloseable {
  private final Host host;
  private final Cluster cluster;
  private final EventFeed events;
  private final RootRotator rotator;
  private final UserSweep sweep;
  private final OwnUser ownUser;
  private final AutoCloseable members;
  private final FrontDoor door;
  private final ControlService control;
  private volatile UnixSocketServer grpc;

  public ApiServer(Host host, Path engineSocket, Limits limits, Duration nodeWait, Duration distributionLimit) {
    this.host = host;
    Engine engine = new Engine(engineSocket, host);
    Commits commits = new Commits(host);
    this.cluster = new Cluster(host, commits, nodeWait);
    this.members = host.membership().listen(this::became);
    this.rotator = new RootRotator(host, cluster, commits);
    ManagerUsers users = new ManagerUsers(host);
    this.sweep = new UserSweep(host, cluster, users);
    this.ownUser = new OwnUser(host);
    this.events = new EventFeed(host);
    this.control = new ControlService(host, cluster, commits, rotator);
    new ClusterMetrics(host.view()).register(host.metrics().registry());
    host.serve("control-api", control);
    host.serve("control-api", new AdmissionService(host, commits, users));
    DockerApi api = new DockerApi(host, cluster, commits, rotator, events, engine, distributionLimit);
    this.door = new FrontDoor(host, limits, engineSocket, api::commonHeaders, api::handle);
  }

  private void became(Optional<Membership.Identity> identity) {
    if (identity.isPresent() && !identity.get().manager() && !host.storeAccess().shared()) {
      host.blocking("control-api-empty-store", cluster::emptyWorkersStore);
    }
  }

  public void listen(Address address) throws IOException {
    door.listen(address);
  }

  public List<SocketAddress> addresses() {
    return door.addresses();
  }

  /** Offers Control to programs on this machine; to the services of this process it is offered anyway. */
  public void serveGrpc(Path socket) throws IOException {
    grpc = UnixSocketServer.start(socket, control);
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
    if (grpc != null) {
      grpc.close();
    }
    door.close();
    rotator.close();
    sweep.close();
    ownUser.close();
    Cluster.close(members);
    events.close();
  }
}
