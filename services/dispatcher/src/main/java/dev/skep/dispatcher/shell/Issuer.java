package dev.skep.dispatcher.shell;

import dev.skep.certificates.v1.Manager;
import dev.skep.dispatcher.core.ClusterTrust;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.runtime.identity.CertificateAuthority;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.JoinToken;
import dev.skep.runtime.identity.NodeName;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.SealedRows;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.SealedRow;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Opens the sealed tokens and the authority's key for the moment in which they are needed. */
final class Issuer {
  private final Host host;
  private final SecureRandom random = new SecureRandom();

  Issuer(Host host) {
    this.host = host;
  }

  /** This manager, as others reach it. */
  static Optional<Manager> own(Host host) {
    return host.membership().current().filter(Membership.Identity::manager)
        .flatMap(own -> own.managers().stream().findFirst().map(address -> Manager.newBuilder().setNodeId(own.nodeId()).setAddress(address).build()));
  }

  /** The role for which somebody was invited; empty when nobody was with this token. Takes the same time for every token. */
  Optional<NodeRole> invited(ClusterState state, String presented) {
    NodeRole role = null;
    for (NodeRole one : NodeRole.values()) {
      Key<SealedRow> row = SealedRows.joinToken(one);
      boolean right = state.has(row)
          && JoinToken.parse(new String(opened(state, row), StandardCharsets.UTF_8)).map(token -> token.matches(presented)).orElse(false);
      role = right ? one : role;
    }
    return Optional.ofNullable(role);
  }

  /** The certificate in PEM, followed by what links it to the older root while the root is being rotated. */
  String chain(ClusterState state, String nodeId, NodeRole role, PublicKey key) {
    ClusterRow cluster = state.value(Rows.cluster());
    boolean rotating = cluster.hasRootRotation();
    CertificateAuthority authority = rotating
        ? CertificateAuthority.of(cluster.getRootRotation().getRootPem(), opened(state, SealedRows.nextAuthorityKey()))
        : CertificateAuthority.of(cluster.getTrustRootPem(), opened(state, SealedRows.authorityKey()));
    Duration life = Duration.ofNanos(cluster.getSpec().getCaConfig().getNodeCertExpiry());
    String own = authority.issue(new NodeName(nodeId, role, cluster.getId()), key, host.clock().instant(), life, random);
    return rotating ? own + cluster.getRootRotation().getCrossSignedPem() : own;
  }

  private byte[] opened(ClusterState state, Key<SealedRow> row) {
    SealedRow sealed = state.value(row);
    if (sealed == null) {
      throw Status.UNAVAILABLE.withDescription("the cluster's keys are being replaced: try again").asRuntimeException();
    }
    try {
      return ClusterKey.read(host.dataFolder("identity")).open(row, sealed);
    } catch (IOException e) {
      throw new UncheckedIOException("this manager cannot read the cluster's key", e);
    }
  }

  /** Roots in the order in which a joining machine wants them. */
  static List<String> roots(ClusterState state) {
    ClusterRow cluster = state.value(Rows.cluster());
    if (cluster == null) {
      throw Status.UNAVAILABLE.withDescription("this host is no manager of a cluster").asRuntimeException();
    }
    return ClusterTrust.roots(cluster);
  }
}
