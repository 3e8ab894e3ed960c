package dev.skep.runtime.host;

import dev.skep.runtime.Membership;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.SessionState;
import dev.skep.runtime.grpc.ClusterChannel;
import dev.skep.runtime.grpc.GrpcDoor;
import dev.skep.runtime.grpc.ManagerChannels;
import dev.skep.runtime.identity.Trust;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import io.grpc.Channel;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A host among others: the door of a manager, the connections of a worker, each while the membership says so. */
final class Network implements AutoCloseable {
  /** The purpose of calls that name none. */
  static final String EVERYTHING = "everything";

  private static final Logger LOG = LoggerFactory.getLogger(Network.class);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration FAREWELL = Duration.ofSeconds(1); // for a removed node to read why its calls end

  private final ProcessHost host;
  private final Membership membership;
  private final Trust trust;
  private final SessionState session = new SessionState();
  private final GrpcDoor door;
  private final ManagerChannels managers;
  private Optional<AutoCloseable> following = Optional.empty();
  private Optional<AutoCloseable> watching = Optional.empty();
  private String cluster = "";
  private String complaint = "";
  private volatile boolean closed;

  Network(ProcessHost host, HostBuilder options, Membership membership) {
    this.host = host;
    this.membership = membership;
    this.trust = new Trust(host.data().resolve("identity"), host.clock());
    this.door = new GrpcDoor(
        host.services(), trust, this::known, host.calls(), work -> host.thread("network-door", work), options.door);
    this.managers = new ManagerChannels(
        () -> membership.current().map(Identity::managers).orElse(List.of()), trust, host.calls());
  }

  private boolean known(String nodeId) {
    return host.view().state().has(Rows.NODE_SPEC.key(nodeId));
  }

  Trust trust() {
    return trust;
  }

  SessionState session() {
    return session;
  }

  NetworkDoor door() {
    return door;
  }

  Channel channel(Channel here, String purpose) {
    return new ClusterChannel(membership, here, managers.channel(purpose));
  }

  /** From the moment on when there is something to serve. */
  void follow() {
    following = Optional.of(membership.listen(this::become));
    watching = Optional.of(host.view().listen(this::moved));
  }

  private void become(Optional<Identity> identity) {
    String now = identity.map(who -> who.clusterId() + "/" + who.nodeId()).orElse("");
    if (!now.equals(cluster)) {
      cluster = now;
      managers.forget();
    }
    String listen = identity.filter(Identity::manager).map(Identity::listenAddress).orElse("");
    if (listen.isEmpty()) {
      door.close();
    } else {
      open(listen);
    }
  }

  private void open(String address) {
    boolean wanted = membership.current().filter(Identity::manager).filter(who -> who.listenAddress().equals(address)).isPresent();
    if (closed || !wanted) {
      return;
    }
    try {
      door.open(address);
      complaint = "";
    } catch (IOException e) {
      if (!e.getMessage().equals(complaint)) {
        complaint = e.getMessage();
        LOG.error("other nodes cannot reach this manager: {}; tried again every {} s", e.getMessage(), RETRY.toSeconds());
      }
      host.after(RETRY, () -> open(address));
    }
  }

  private void moved(ClusterState state, List<RowChange> changes, boolean reset) {
    if (reset || changes.stream().anyMatch(change -> change.of(Rows.NODE_SPEC) && change.after() == null)) {
      host.after(FAREWELL, door::endForeign);
    }
  }

  @Override
  public void close() {
    closed = true;
    try {
      if (following.isPresent()) {
        following.get().close();
      }
      if (watching.isPresent()) {
        watching.get().close();
      }
    } catch (Exception e) {
      throw new IllegalStateException("a listener that cannot be removed", e);
    }
    door.close();
    managers.close();
  }
}
