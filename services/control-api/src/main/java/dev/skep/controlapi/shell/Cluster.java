package dev.skep.controlapi.shell;

import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.JoinRequest;
import dev.skep.backend.Store;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.ClusterWrites;
import dev.skep.controlapi.core.NodeWrites;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.runtime.View;
import dev.skep.runtime.grpc.ManagerKeys;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.JoinToken;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeName;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.SealedRow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Founds the cluster, ends it, and keeps its secrets: the only place of control-api that sees any of them in clear. */
final class Cluster {
  private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);
  private static final Duration REPLY = Duration.ofMillis(200); // for the answer to get out before the process ends
  private static final Duration NEXT_QUESTION = Duration.ofMillis(1500); // `docker swarm join` asks as what it joined
  private static final List<Store.Compare> NOBODY_FOUNDED = List.of(new Store.Compare.ModRevision(Rows.cluster().path(), 0));

  private final Host host;
  private final Commits commits;
  private final Duration nodeWait;
  private final SecureRandom random = new SecureRandom();
  private final Semaphore turn = new Semaphore(1); // founding and ending wipe rows: never two of them at once
  private final JoinedMembership joining;
  private final Erasure erasure;
  private volatile Optional<Membership.Identity> becomes = Optional.empty();

  /** @param nodeWait how long init waits for this node's own agent to report */
  Cluster(Host host, Commits commits, Duration nodeWait) {
    this.host = host;
    this.commits = commits;
    this.nodeWait = nodeWait;
    this.erasure = new Erasure(host);
    this.joining = new JoinedMembership(host, random, new Here());
  }

  /** This manager's place in a cluster whose rows are there; empty before init, and when an init or a leave was cut short. */
  Optional<Membership.Identity> member(ClusterState state) {
    return host.membership().current().filter(identity -> identity.manager() && state.has(Rows.cluster()));
  }

  Standing standing(ClusterState state) {
    Optional<Membership.Identity> worker = host.membership().current().filter(identity -> !identity.manager());
    return worker.<Standing>map(Standing.Worker::new)
        .or(() -> member(state).map(Standing.Managing::new))
        .orElseGet(Standing.Outside::new);
  }

  /** The manager that this host is as soon as its process has started again. */
  Optional<Membership.Identity> becomes() {
    return becomes;
  }

  /** Answers the node's id. */
  Answer<String> init(InitRequest request, boolean automatic) {
    turn.acquireUninterruptibly();
    try {
      return initNow(request, automatic);
    } finally {
      turn.release();
    }
  }

  /**
   * As init, before any service of this host runs: no port is taken, nobody is waited for, the address is taken as it is
   * given. A store that holds a cluster is left alone unless {@code replace} says that it may go.
   */
  Answer<String> found(InitRequest request, boolean replace) {
    ClusterState state = host.view().fresh(Commits.LIMIT);
    if (member(state).isPresent()) {
      return Answer.refused(ApiError.alreadyInSwarm());
    }
    if (state.has(Rows.cluster()) && !replace) {
      return Answer.refused(ApiError.badRequest("the store holds cluster " + state.value(Rows.cluster()).getId()
          + " already, and this host's identity is not of it: join that cluster, or say that it may be thrown away (--replace)"));
    }
    Optional<ApiError> refusal = ClusterWrites.refusal(request);
    if (refusal.isPresent()) {
      return Answer.refused(refusal.get());
    }
    return AdvertisedAddress.joining(request.getAdvertiseAddr(), "")
        .then(address -> AdvertisedAddress.dataPath(request.getDataPathAddr())
            .then(dataPath -> AdvertisedAddress.listening(request.getListenAddr())
                .then(listen -> founded(request, new Place(address, dataPath.isEmpty() ? address : dataPath, listen), replace))));
  }

  private Answer<String> initNow(InitRequest request, boolean automatic) {
    ClusterState state = host.view().fresh(Commits.LIMIT);
    if (!(standing(state) instanceof Standing.Outside)) {
      return Answer.refused(ApiError.alreadyInSwarm());
    }
    if (host.storeAccess().shared() && state.has(Rows.cluster())) {
      return Answer.refused(ApiError.storeTaken(host.storeAccess().toString()));
    }
    Optional<ApiError> refusal = ClusterWrites.refusal(request);
    if (refusal.isPresent()) {
      return Answer.refused(refusal.get());
    }
    return AdvertisedAddress.of(request, automatic)
        .then(address -> AdvertisedAddress.dataPath(request.getDataPathAddr())
            .then(dataPath -> AdvertisedAddress.listening(request.getListenAddr())
                .then(listen -> opened(request, new Place(address, dataPath.isEmpty() ? address : dataPath, listen)))));
  }

  /** Where this manager is: advertised, for overlay traffic, and where it listens. */
  private record Place(String address, String dataPath, String listen) {}

  /** The port is taken first: what cannot be reached must not be founded. */
  private Answer<String> opened(InitRequest request, Place place) {
    if (host.membership().current().isPresent()) {
      host.membership().leave(); // of what an init or a leave that was cut short left behind
    }
    String door;
    try {
      door = host.door().open(place.listen());
    } catch (IOException e) {
      return Answer.refused(ApiError.internal(e.getMessage()));
    }
    Answer<String> founded = founded(request, new Place(place.address(), place.dataPath(), door), false);
    if (founded instanceof Answer.Refused<String>) {
      host.door().close();
    }
    return founded;
  }

  private Answer<String> founded(InitRequest request, Place place, boolean replace) {
    if (!erasure.all(host.storeAccess().shared() && !replace ? NOBODY_FOUNDED : List.of())) {
      return Answer.refused(ApiError.storeTaken(host.storeAccess().toString()));
    }
    CertificateAuthority authority = CertificateAuthority.create(host.clock().instant(), random);
    ClusterKey fresh = freshKey();
    Map<Key<SealedRow>, SealedRow> sealed = new LinkedHashMap<>();
    put(sealed, fresh, SealedRows.authorityKey(), authority.privateKey());
    for (NodeRole role : NodeRole.values()) {
      put(sealed, fresh, SealedRows.joinToken(role), token(authority.certificatePem()));
    }
    String clusterId = host.ids().next();
    String managerId = host.ids().next();
    Optional<FirstUsers> users = FirstUsers.make(host, clusterId, managerId); // when that fails nothing was founded
    users.ifPresent(made -> put(sealed, fresh, SealedRows.storeAdministrator(), made.administrator()));
    ClusterWrites.Founding founding =
        new ClusterWrites.Founding(
            clusterId, managerId, host.ids().next(), authority.certificatePem(), authority.subject(), authority.publicKey(), sealed);
    String ingressId = host.ids().next();
    Answer<String> written = commits.write((state, tick) -> ClusterWrites.init(state, request, founding, ingressId, tick));
    if (written instanceof Answer.Refused<String> && users.isPresent()) {
      FirstUsers.unmake(host, clusterId);
    }
    return written.then(
        nodeId -> {
          certify(authority, new NodeName(nodeId, NodeRole.MANAGER, founding.clusterId()));
          if (host.storeAccess().shared()) {
            users.map(FirstUsers::own).orElseGet(host::storeAccess).write(identityFolder());
          }
          String reachable = AdvertisedAddress.reachable(place.address(), request.getAdvertiseAddr(), place.listen());
          host.membership().become(new Membership.Identity(
              founding.clusterId(), nodeId, true, place.address(), place.dataPath(), place.listen(), List.of(reachable)));
          awaitNode(nodeId);
          if (users.isPresent()) {
            host.after(NEXT_QUESTION, () -> host.restart("this host has a user of its own in store and log now, and goes on as that"));
          }
          return Answer.ok(nodeId);
        });
  }

  /** The first manager's own certificate. Its next ones it gets as every node does. */
  private void certify(CertificateAuthority authority, NodeName name) {
    Duration life = Duration.ofNanos(host.view().state().value(Rows.cluster()).getSpec().getCaConfig().getNodeCertExpiry());
    KeyPair keys = NodeCertificate.freshKey(random);
    String certificate = authority.issue(name, keys.getPublic(), host.clock().instant(), life, random);
    host.trust().install(NodeCertificate.of(keys.getPrivate(), certificate), List.of(authority.certificatePem()));
  }

  /** The CLI asks for the node's address at once; it is known when the agent has reported. */
  private void awaitNode(String nodeId) {
    if (nodeWait.isZero()) {
      return;
    }
    CompletableFuture<Boolean> reported = new CompletableFuture<>();
    View.Listener listener =
        (state, _, _) -> {
          NodeStatusRow status = state.value(Rows.NODE_STATUS.key(nodeId));
          if (status != null && status.getState().equals("ready")) {
            reported.complete(true);
          }
        };
    AutoCloseable listening = host.view().listen(listener);
    try {
      reported.get(nodeWait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      LOG.warn("the agent of this node has not reported within {}", nodeWait);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } finally {
      close(listening);
    }
  }

  static void close(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      throw new IllegalStateException("closing what cannot fail", e);
    }
  }

  /** Ends the cluster: all its state is gone. */
  Optional<ApiError> leave(boolean force) {
    turn.acquireUninterruptibly();
    try {
      return leaveNow(force);
    } finally {
      turn.release();
    }
  }

  /** As a worker or a manager: the token says which. Answers nothing that anybody needs. */
  Answer<String> join(JoinRequest request) {
    turn.acquireUninterruptibly();
    Answer<String> joined;
    try {
      boolean outside = standing(host.view().fresh(Commits.LIMIT)) instanceof Standing.Outside;
      joined = outside ? joining.join(request) : Answer.refused(ApiError.alreadyInSwarm());
    } finally {
      turn.release();
    }
    return joined.then(joining::awaitSession);
  }

  private Optional<ApiError> leaveNow(boolean force) {
    ClusterState state = host.view().fresh(Commits.LIMIT);
    if (standing(state) instanceof Standing.Worker(Membership.Identity identity)) {
      joining.leave(identity);
      return Optional.empty();
    }
    Optional<Membership.Identity> manager = member(state);
    if (manager.isEmpty()) {
      return Optional.of(ApiError.notPartOfSwarm());
    }
    boolean last = NodeWrites.managers(state).stream().allMatch(row -> row.key().lastPart().equals(manager.get().nodeId()));
    if (!force) {
      return Optional.of(last ? ApiError.lastManager() : ApiError.managerLeaves());
    }
    if (!Files.isWritable(identityFolder())) {
      return Optional.of(ApiError.identityOfOthers()); // and before anything is erased
    }
    if (last) {
      LOG.info("leaving: the state of the cluster is erased");
      erasure.all(List.of());
      host.membership().leave();
      erasure.all(List.of()); // what loops wrote in between
      host.trust().erase();
    } else {
      LOG.info("leaving: {} managers stay", NodeWrites.managers(state).size() - 1);
      joining.leave(manager.get());
    }
    ManagerKeys.erase(identityFolder());
    if (host.storeAccess().shared()) {
      again("this host left its cluster, and the cluster's store with it");
    }
    return Optional.empty();
  }

  /** This process, which has a store and a door. */
  private final class Here implements JoinedMembership.Place {
    @Override
    public String open(String listenAddress) throws IOException {
      return host.door().open(listenAddress);
    }

    @Override
    public void close() {
      host.door().close();
    }

    @Override
    public boolean has(String clusterId) {
      ClusterRow cluster = host.view().fresh(Commits.LIMIT).value(Rows.cluster());
      return host.storeAccess().shared() && cluster != null && cluster.getId().equals(clusterId);
    }

    @Override
    public void again(Membership.Identity manager) {
      becomes = Optional.of(manager);
      host.after(NEXT_QUESTION, () -> host.restart("this host became a manager, and goes on with the cluster's store"));
    }
  }

  /** When the answer is out. */
  private void again(String why) {
    host.after(REPLY, () -> host.restart(why));
  }

  /** A worker keeps no rows: what an older cluster left here when a leave was cut short would be taken for today's. */
  void emptyWorkersStore() {
    turn.acquireUninterruptibly();
    try {
      if (standing(host.view().state()) instanceof Standing.Worker) {
        erasure.all(List.of());
      }
    } finally {
      turn.release();
    }
  }

  /** Makes new join tokens for these roles; answers them sealed. */
  Map<Key<SealedRow>, SealedRow> freshTokens(ClusterState state, List<NodeRole> roles) {
    Map<Key<SealedRow>, SealedRow> sealed = new LinkedHashMap<>();
    for (NodeRole role : roles) {
      put(sealed, key(), SealedRows.joinToken(role), token(state.value(Rows.cluster()).getTrustRootPem()));
    }
    return sealed;
  }

  String joinToken(ClusterState state, NodeRole role) {
    SealedRow sealed = state.value(SealedRows.joinToken(role));
    return sealed == null ? "" : new String(key().open(SealedRows.joinToken(role), sealed), StandardCharsets.UTF_8);
  }

  SealedRow seal(Key<SealedRow> row, String clear) {
    return seal(row, clear.getBytes(StandardCharsets.UTF_8));
  }

  SealedRow seal(Key<SealedRow> row, byte[] clear) {
    return key().seal(row, clear, random);
  }

  byte[] open(Key<SealedRow> row, SealedRow sealed) {
    return key().open(row, sealed);
  }

  private byte[] token(String rootPem) {
    return JoinToken.fresh(rootPem, random).text().getBytes(StandardCharsets.UTF_8);
  }

  private void put(Map<Key<SealedRow>, SealedRow> sealed, ClusterKey with, Key<SealedRow> row, byte[] clear) {
    sealed.put(row, with.seal(row, clear, random));
  }

  private ClusterKey freshKey() {
    try {
      return ClusterKey.create(identityFolder(), random);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the cluster's key", e);
    }
  }

  /** From its file each time: another host's key takes its place when this one joins another cluster. */
  private ClusterKey key() {
    try {
      return ClusterKey.read(identityFolder());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the cluster's key", e);
    }
  }

  private Path identityFolder() {
    return host.dataFolder("identity");
  }
}
