package dev.skep.dispatcher.core;

import com.google.protobuf.ByteString;
import dev.skep.certificates.v1.Manager;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeStatusRow;
import java.util.ArrayList;
import java.util.List;

/**
 * What every session must know of the cluster's trust.
 *
 * @param roots in PEM; the one that join tokens name comes first, during a rotation the next one follows
 * @param issuer the public key with which certificates are issued now
 */
public record ClusterTrust(List<Manager> managers, List<String> roots, ByteString issuer) {
  public static final ClusterTrust UNTOLD = new ClusterTrust(List.of(), List.of(), ByteString.EMPTY);

  public static ClusterTrust of(ClusterState state, List<Manager> managers) {
    ClusterRow cluster = state.value(Rows.cluster());
    if (cluster == null) {
      return UNTOLD;
    }
    boolean rotating = cluster.hasRootRotation();
    ByteString issuer = rotating ? cluster.getRootRotation().getIssuerPublicKey() : cluster.getCertIssuerPublicKey();
    return new ClusterTrust(List.copyOf(managers), roots(cluster), issuer);
  }

  public static List<String> roots(ClusterRow cluster) {
    List<String> roots = new ArrayList<>();
    if (!cluster.getTrustRootPem().isEmpty()) {
      roots.add(cluster.getTrustRootPem());
    }
    if (cluster.hasRootRotation()) {
      roots.add(cluster.getRootRotation().getRootPem());
    }
    return List.copyOf(roots);
  }

  /** Whether the node's certificate, as it reported it, was issued with another key than the present one. */
  public boolean outdated(ClusterState state, String nodeId) {
    NodeStatusRow node = state.value(Rows.NODE_STATUS.key(nodeId));
    return !issuer.isEmpty() && node != null && !node.getDescription().getTlsInfo().getCertIssuerPublicKey().equals(issuer);
  }
}
