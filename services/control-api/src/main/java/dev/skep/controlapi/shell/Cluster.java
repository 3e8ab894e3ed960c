package dev.skep.controlapi.shell;

import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.JoinRequest;
import dev.skep.backend.Store;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.ClusterWrites;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.runtime.View;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.JoinToken;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeName;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Owner;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.SealedRow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
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
  private static final int BATCH = 100;
  private static final int PASSES = 50;

  private final Host host;
  private final Commits commits;
  private final Duration nodeWait;
  private final SecureRandom random = new SecureRandom();
  private final Semaphore turn = new Semaphore(1); // founding and ending wipe rows: never two of them at once
  private final WorkerMembership worker;
  private volatile ClusterKey key;

  /** @param nodeWait how long init waits for this node's own agent to report */
  Cluster(Host host, Commits commits, Duration nodeWait) {
    this.host = host;
    this.commits = commits;
    this.nodeWait = nodeWait;
    this.worker = new WorkerMembership(host, random);
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
                .then(listen -> founded(request, new Place(address, dataPath.isEmpty() ? address : dataPath, listen)))));
  }

  private Answer<String> initNow(InitRequest request, boolean automatic) {
    if (!(standing(host.view().fresh(Commits.LIMIT)) instanceof Standing.Outside)) {
      return Answer.refused(ApiError.alreadyInSwarm());
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
    Answer<String> founded = founded(request, new Place(place.address(), place.dataPath(), door));
    if (founded instanceof Answer.Refused<String>) {
      host.door().close();
    }
    return founded;
  }

  private Answer<String> founded(InitRequest request, Place place) {
    wipe();
    CertificateAuthority authority = CertificateAuthority.create(host.clock().instant(), random);
    ClusterKey fresh = freshKey();
    Map<Key<SealedRow>, SealedRow> sealed = new LinkedHashMap<>();
    put(sealed, fresh, SealedRows.authorityKey(), authority.privateKey());
    for (NodeRole role : NodeRole.values()) {
      put(sealed, fresh, SealedRows.joinToken(role), token(authority.certificatePem()));
    }
    ClusterWrites.Founding founding =
        new ClusterWrites.Founding(
            host.ids().next(), host.ids().next(), host.ids().next(), authority.certificatePem(), authority.subject(),
                authority.publicKey(), sealed);
    String ingressId = host.ids().next();
    Answer<String> written = commits.write((state, tick) -> ClusterWrites.init(state, request, founding, ingressId, tick));
    return written.then(
        nodeId -> {
          certify(authority, new NodeName(nodeId, NodeRole.MANAGER, founding.clusterId()));
          String reachable = AdvertisedAddress.reachable(place.address(), request.getAdvertiseAddr(), place.listen());
          host.membership().become(new Membership.Identity(
              founding.clusterId(), nodeId, true, place.address(), place.dataPath(), place.listen(), List.of(reachable)));
          awaitNode(nodeId);
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

  /** As a worker. Answers nothing that anybody needs. */
  Answer<String> join(JoinRequest request) {
    turn.acquireUninterruptibly();
    Answer<String> joined;
    try {
      boolean outside = standing(host.view().fresh(Commits.LIMIT)) instanceof Standing.Outside;
      joined = outside ? worker.join(request) : Answer.refused(ApiError.alreadyInSwarm());
    } finally {
      turn.release();
    }
    return joined.then(worker::awaitSession);
  }

  private Optional<ApiError> leaveNow(boolean force) {
    ClusterState state = host.view().fresh(Commits.LIMIT);
    if (standing(state) instanceof Standing.Worker(Membership.Identity identity)) {
      worker.leave(identity);
      return Optional.empty();
    }
    if (member(state).isEmpty()) {
      return Optional.of(ApiError.notPartOfSwarm());
    }
    if (!force) {
      return Optional.of(ApiError.lastManager());
    }
    LOG.info("leaving: the state of the cluster is erased");
    wipe();
    host.membership().leave();
    wipe(); // what loops wrote in between
    try {
      ClusterKey.erase(identityFolder());
      host.trust().erase();
      key = null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Optional.empty();
  }

  /** What the user asked goes first, the cluster before all: what is derived from it cannot be written any more then. */
  private void wipe() {
    deleteAll(Rows.cluster().path());
    for (Owner owner : Owner.values()) { // the loops' rows last: without a cluster nobody campaigns
      deleteAll(owner.prefix());
    }
  }

  private void deleteAll(String prefix) {
    for (int pass = 0; pass < PASSES; pass++) {
      List<Store.Entry> entries = host.store().read(prefix).entries();
      if (entries.isEmpty()) {
        return;
      }
      long revision = 0;
      for (int from = 0; from < entries.size(); from += BATCH) {
        List<Store.Operation> deletes = new ArrayList<>();
        for (Store.Entry entry : entries.subList(from, Math.min(from + BATCH, entries.size()))) {
          deletes.add(new Store.Operation.Delete(entry.key()));
        }
        if (host.store().commit(new Store.Transaction(List.of(), deletes)) instanceof Store.Outcome.Committed committed) {
          revision = committed.revision();
        }
      }
      host.view().await(revision, Commits.LIMIT);
    }
    LOG.warn("rows under {} come back faster than they are erased", prefix);
  }

  /** A worker keeps no rows: what an older cluster left here when a leave was cut short would be taken for today's. */
  void emptyWorkersStore() {
    turn.acquireUninterruptibly();
    try {
      if (standing(host.view().state()) instanceof Standing.Worker) {
        wipe();
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
      key = ClusterKey.create(identityFolder(), random);
      return key;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the cluster's key", e);
    }
  }

  private ClusterKey key() {
    ClusterKey known = key;
    if (known == null) {
      try {
        known = ClusterKey.read(identityFolder());
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read the cluster's key", e);
      }
      key = known;
    }
    return known;
  }

  private Path identityFolder() {
    return host.dataFolder("identity");
  }
}
