package dev.skep.state.view;

import dev.skep.api.v1.JoinTokens;
import dev.skep.api.v1.Peer;
import dev.skep.api.v1.Swarm;
import dev.skep.api.v1.SwarmInfo;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.api.v1.TLSInfo;
import dev.skep.state.ClusterState;
import dev.skep.state.Restored;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.RootRotation;
import java.util.List;
import java.util.Optional;

/** The cluster itself. Join tokens are sealed and no row of the state: who may read them passes them in. */
public final class SwarmView {
  private SwarmView() {}

  /** Without join tokens, as inside /info; empty before init. */
  public static Optional<Swarm> of(ClusterState state) {
    Row<ClusterRow> row = state.row(Rows.cluster());
    if (row == null) {
      return Optional.empty();
    }
    ClusterRow cluster = row.value();
    return Optional.of(
        Swarm.newBuilder()
            .setId(cluster.getId())
            .setVersion(Join.version(row))
            .setCreatedAt(cluster.getCreatedAt())
            .setUpdatedAt(cluster.getUpdatedAt())
            .setSpec(withoutKey(cluster))
            .setTlsInfo(tlsInfo(cluster))
            .setRootRotationInProgress(cluster.hasRootRotation())
            .addAllDefaultAddrPool(cluster.getDefaultAddrPoolList())
            .setSubnetSize(cluster.getSubnetSize())
            .setDataPathPort(cluster.getDataPathPort())
            .build());
  }

  /** While the root is being rotated the issuer is the new one already: by it clients count the nodes that have followed. */
  private static TLSInfo tlsInfo(ClusterRow cluster) {
    TLSInfo.Builder info = TLSInfo.newBuilder().setTrustRoot(cluster.getTrustRootPem());
    if (cluster.hasRootRotation()) {
      RootRotation next = cluster.getRootRotation();
      return info.setCertIssuerSubject(next.getIssuerSubject()).setCertIssuerPublicKey(next.getIssuerPublicKey()).build();
    }
    return info.setCertIssuerSubject(cluster.getCertIssuerSubject()).setCertIssuerPublicKey(cluster.getCertIssuerPublicKey()).build();
  }

  /** GET /swarm. */
  public static Optional<Swarm> withTokens(ClusterState state, String workerToken, String managerToken) {
    return of(state)
        .map(swarm -> swarm.toBuilder().setJoinTokens(JoinTokens.newBuilder().setWorker(workerToken).setManager(managerToken)).build());
  }

  /** A signing key that somebody managed to store is never shown. */
  private static SwarmSpec withoutKey(ClusterRow cluster) {
    if (cluster.getSpec().getCaConfig().getSigningCaKey().isEmpty()) {
      return cluster.getSpec();
    }
    var spec = cluster.getSpec().toBuilder();
    spec.getCaConfigBuilder().clearSigningCaKey();
    return spec.build();
  }

  /**
   * info.Swarm of a worker, which knows no more than this.
   *
   * @param managers host:port of each
   */
  public static SwarmInfo workerInfo(String nodeId, String nodeAddr, List<String> managers) {
    SwarmInfo.Builder info = SwarmInfo.newBuilder().setNodeId(nodeId).setNodeAddr(nodeAddr).setLocalNodeState("active");
    managers.forEach(manager -> info.addRemoteManagers(Peer.newBuilder().setAddr(manager)));
    return info.build();
  }

  /** info.Swarm of a manager; before init, of a node that is in no swarm. */
  public static SwarmInfo info(ClusterState state, String nodeId) {
    Optional<Swarm> cluster = of(state);
    if (cluster.isEmpty()) {
      return SwarmInfo.newBuilder().setLocalNodeState("inactive").build();
    }
    SwarmInfo.Builder info =
        SwarmInfo.newBuilder().setNodeId(nodeId).setLocalNodeState("active").setControlAvailable(true).setCluster(cluster.get());
    Restored.notice(state).ifPresent(info::setError);
    for (Row<NodeSpecRow> row : state.rows(Rows.NODE_SPEC)) {
      NodeStatusRow status = state.value(Rows.NODE_STATUS.key(row.value().getId()));
      NodeStatusRow seen = status == null ? NodeStatusRow.getDefaultInstance() : status;
      info.setNodes(info.getNodes() + 1);
      if (row.value().getId().equals(nodeId)) {
        info.setNodeAddr(seen.getAddr());
      }
      if (NodeView.manager(row.value())) {
        info.setManagers(info.getManagers() + 1);
        info.addRemoteManagers(Peer.newBuilder().setNodeId(row.value().getId()).setAddr(NodeView.managerAddr(seen)));
      }
    }
    return info.build();
  }
}
