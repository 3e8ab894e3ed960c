package dev.skep.controlapi.shell;

import dev.skep.api.v1.SwarmSpec;
import dev.skep.backend.StoreException;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.Planned;
import dev.skep.controlapi.core.RootRotations;
import dev.skep.runtime.Host;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.JoinToken;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.SealedRow;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the roots that the cluster rotates to, and ends a rotation as soon as the last node has followed. */
final class RootRotator implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RootRotator.class);
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final Host host;
  private final Cluster cluster;
  private final Commits commits;
  private final SecureRandom random = new SecureRandom();
  private final AtomicBoolean finishing = new AtomicBoolean();
  private final AtomicBoolean waiting = new AtomicBoolean();
  private volatile AutoCloseable timer = () -> {};
  private final AutoCloseable listening;

  RootRotator(Host host, Cluster cluster, Commits commits) {
    this.host = host;
    this.cluster = cluster;
    this.commits = commits;
    this.listening = host.view().listen(this::moved);
  }

  /** A fresh root, signed by the one in force; empty when none is asked for. */
  Optional<RootRotations.Next> next(ClusterState state, SwarmSpec asked) {
    if (!RootRotations.wanted(state, asked.getCaConfig())) {
      return Optional.empty();
    }
    CertificateAuthority inForce =
        CertificateAuthority.of(state.value(Rows.cluster()).getTrustRootPem(), open(state, SealedRows.authorityKey()));
    CertificateAuthority fresh = CertificateAuthority.create(host.clock().instant(), random);
    String link = inForce.crossSign(fresh, host.clock().instant(), random);
    Map<Key<SealedRow>, SealedRow> sealed =
        Map.of(SealedRows.nextAuthorityKey(), cluster.seal(SealedRows.nextAuthorityKey(), fresh.privateKey()));
    return Optional.of(new RootRotations.Next(fresh.certificatePem(), link, fresh.subject(), fresh.publicKey(), sealed));
  }

  private byte[] open(ClusterState state, Key<SealedRow> key) {
    SealedRow row = state.value(key);
    if (row == null) {
      throw new IllegalStateException("the cluster's state lacks " + key.path());
    }
    return cluster.open(key, row);
  }

  /** On the view's thread, or a timer's. */
  private void moved(ClusterState state, List<RowChange> changes, boolean reset) {
    Optional<Instant> until = RootRotations.patientUntil(state);
    if (until.isEmpty() || cluster.member(state).isEmpty()) { // on a shared store the rows of a cluster are seen before it is joined
      return;
    }
    Instant now = host.clock().instant();
    if (RootRotations.followed(state, now)) {
      if (finishing.compareAndSet(false, true)) {
        host.blocking("control-api-root-rotation", this::finish);
      }
    } else if (now.isBefore(until.get()) && waiting.compareAndSet(false, true)) {
      timer = host.after(Duration.between(now, until.get()), this::impatient);
    }
  }

  private void impatient() {
    waiting.set(false);
    moved(host.view().state(), List.of(), true);
  }

  private void finish() {
    try {
      commits.write((state, tick) -> RootRotations.followed(state, tick.now()) ? RootRotations.finish(state, sealed(state), tick) : nothing());
      LOG.info("the root of the cluster's trust is the new one");
    } catch (StoreException e) {
      LOG.warn("the rotation of the root cannot be ended yet: {}", e.getMessage());
      host.after(RETRY, () -> moved(host.view().state(), List.of(), true));
    } finally {
      finishing.set(false);
    }
  }

  private static Answer<Planned<String>> nothing() {
    return Answer.ok(new Planned<>("", List.of()));
  }

  private RootRotations.Sealed sealed(ClusterState state) {
    Map<Key<SealedRow>, SealedRow> put = new LinkedHashMap<>();
    put.put(SealedRows.authorityKey(), cluster.seal(SealedRows.authorityKey(), open(state, SealedRows.nextAuthorityKey())));
    String rootPem = state.value(Rows.cluster()).getRootRotation().getRootPem();
    for (NodeRole role : NodeRole.values()) {
      byte[] token = JoinToken.fresh(rootPem, random).text().getBytes(StandardCharsets.UTF_8);
      put.put(SealedRows.joinToken(role), cluster.seal(SealedRows.joinToken(role), token));
    }
    return new RootRotations.Sealed(put, Set.of(SealedRows.nextAuthorityKey()));
  }

  @Override
  public void close() {
    Cluster.close(listening);
    Cluster.close(timer);
  }
}
