package dev.skep.controlapi.core;

import com.google.protobuf.ByteString;
import dev.skep.api.v1.InitRequest;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NameRow;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.SealedRow;
import java.util.Map;
import java.util.Optional;

/** What a request about the cluster itself writes. */
public final class ClusterWrites {
  private static final long HOUR = 3_600_000_000_000L; // the API's durations are nanoseconds
  private static final long SECOND = 1_000_000_000L;
  private static final long NODE_CERTIFICATE_LIFE = 90 * 24 * HOUR;
  private static final int SUBNET_SIZE = 24;
  private static final int DATA_PATH_PORT = 4789;
  private static final int LOWEST_DATA_PATH_PORT = 1024;
  private static final int HIGHEST_DATA_PATH_PORT = 49151;

  /**
   * What init makes besides what the user asked.
   *
   * @param sealed the authority's key and the join tokens
   */
  public record Founding(
      String clusterId,
      String nodeId,
      String epoch,
      String rootPem,
      byte[] subject,
      byte[] publicKey,
      Map<Key<SealedRow>, SealedRow> sealed) {}

  private ClusterWrites() {}

  /** Why this cannot be a cluster. */
  public static Optional<ApiError> refusal(InitRequest request) {
    int port = request.getDataPathPort();
    if (port != 0 && (port < LOWEST_DATA_PATH_PORT || port > HIGHEST_DATA_PATH_PORT)) {
      return Optional.of(ApiError.internal("Datapath port number is not in valid range (1024-49151) : " + Integer.toUnsignedString(port)));
    }
    if (request.getForceNewCluster()) {
      return Optional.of(ApiError.notBuilt("--force-new-cluster", "a cluster with one manager never needs it"));
    }
    if (request.getAutoLockManagers() || request.getSpec().getEncryptionConfig().getAutoLockManagers()) {
      return Optional.of(autolock());
    }
    for (String pool : request.getDefaultAddrPoolList()) {
      if (NetworkCheck.subnet(pool).isEmpty()) {
        return Optional.of(ApiError.invalidArgument("invalid CIDR address: " + pool));
      }
    }
    if (request.getSubnetSize() > 29) {
      return Optional.of(ApiError.invalidArgument("subnet size must not be longer than /29"));
    }
    return availability(request.getAvailability()).or(() -> refusal(defaulted(request.getSpec())));
  }

  public static Optional<ApiError> availability(String text) {
    return switch (text) {
      case "", "active", "pause", "drain" -> Optional.empty();
      default -> Optional.of(ApiError.badRequest("invalid Availability: " + GoText.quoted(text)));
    };
  }

  private static ApiError autolock() {
    return ApiError.notBuilt("autolock", "leave --autolock away; keys lie in files that only root may read");
  }

  /** Answers the node's id. Ask only when no cluster is there. */
  public static Answer<Planned<String>> init(ClusterState state, InitRequest request, Founding founding, String ingressId, Tick tick) {
    ClusterRow.Builder cluster =
        ClusterRow.newBuilder()
            .setId(founding.clusterId())
            .setCreatedAt(Times.of(tick.now()))
            .setUpdatedAt(Times.of(tick.now()))
            .setSpec(defaulted(request.getSpec()))
            .addAllDefaultAddrPool(request.getDefaultAddrPoolList())
            .setSubnetSize(request.getSubnetSize() == 0 ? SUBNET_SIZE : request.getSubnetSize())
            .setDataPathPort(request.getDataPathPort() == 0 ? DATA_PATH_PORT : request.getDataPathPort())
            .setTrustRootPem(founding.rootPem())
            .setCertIssuerSubject(ByteString.copyFrom(founding.subject()))
            .setCertIssuerPublicKey(ByteString.copyFrom(founding.publicKey()))
            .setEpoch(founding.epoch());
    String availability = request.getAvailability().isEmpty() ? "active" : request.getAvailability();
    NodeSpecRow node =
        NodeSpecRow.newBuilder()
            .setId(founding.nodeId())
            .setCreatedAt(Times.of(tick.now()))
            .setUpdatedAt(Times.of(tick.now()))
            .setSpec(NodeSpec.newBuilder().setRole("manager").setAvailability(availability))
            .build();
    NetworkRow ingress =
        NetworkRow.newBuilder()
            .setId(ingressId)
            .setCreatedAt(Times.of(tick.now()))
            .setUpdatedAt(Times.of(tick.now()))
            .setName("ingress")
            .setIngress(true)
            .build();
    ChangeSet.Builder change = ChangeSet.about(founding.clusterId()).absent(Rows.cluster());
    change.put(Rows.cluster(), cluster.build()).put(Rows.NODE_SPEC.key(founding.nodeId()), node);
    change.put(Rows.NETWORK.key(ingressId), ingress).put(Names.network("ingress"), NameRow.newBuilder().setId(ingressId).build());
    founding.sealed().forEach(change::put);
    return Planned.of(founding.nodeId(), change);
  }

  /**
   * Answers the cluster's id.
   *
   * @param tokens those that are replaced, sealed
   * @param next the root to rotate to, when the user asks for another one
   */
  public static Answer<Planned<String>> update(
      ClusterState state, long version, SwarmSpec asked, Map<Key<SealedRow>, SealedRow> tokens, Optional<RootRotations.Next> next,
      Tick tick) {
    Row<ClusterRow> cluster = state.row(Rows.cluster());
    if (cluster == null) {
      return Answer.refused(ApiError.notInSwarm());
    }
    if (!asked.getName().equals("default")) {
      return Answer.refused(ApiError.badRequest("swarm spec must be named \"default\""));
    }
    SwarmSpec spec = defaulted(asked);
    Optional<ApiError> refusal = refusal(spec);
    if (refusal.isPresent()) {
      return Answer.refused(refusal.get());
    }
    if (version != cluster.modRevision()) {
      return Answer.refused(ApiError.outOfSequence());
    }
    ClusterRow.Builder row = cluster.value().toBuilder().setSpec(spec).setUpdatedAt(Times.of(tick.now()));
    ChangeSet.Builder change = ChangeSet.about(cluster.value().getId()).unmodified(cluster);
    tokens.forEach(change::put);
    next.ifPresent(
        root -> {
          RootRotations.begin(row, root, tick);
          root.sealed().forEach(change::put);
        });
    change.put(Rows.cluster(), row.build());
    return Planned.of(cluster.value().getId(), change);
  }

  private static Optional<ApiError> refusal(SwarmSpec spec) {
    if (spec.getCaConfig().getNodeCertExpiry() < HOUR) {
      return Optional.of(ApiError.invalidArgument("minimum certificate expiry time is: 1h0m0s"));
    }
    if (spec.getDispatcher().getHeartbeatPeriod() < 0) {
      return Optional.of(ApiError.invalidArgument("heartbeat time period cannot be a negative duration"));
    }
    if (spec.getEncryptionConfig().getAutoLockManagers()) {
      return Optional.of(autolock());
    }
    if (spec.getCaConfig().getExternalCasCount() > 0) {
      return Optional.of(ApiError.notBuilt("an external CA", "the cluster makes its own"));
    }
    if (spec.getCaConfig().getSigningCaCert().isEmpty() && !spec.getCaConfig().getSigningCaKey().isEmpty()) {
      return Optional.of(
          ApiError.invalidArgument("if a signing CA key is provided, the signing CA cert must also be provided"));
    }
    if (!spec.getCaConfig().getSigningCaCert().isEmpty()) {
      return Optional.of(
          ApiError.notBuilt("a root certificate of one's own (--ca-cert)", "leave it out, and the cluster makes a new one"));
    }
    return Optional.empty();
  }

  /** Zero and absent mean what swarm takes for them. */
  private static SwarmSpec defaulted(SwarmSpec asked) {
    SwarmSpec.Builder spec = asked.toBuilder();
    spec.setName("default");
    if (!spec.getOrchestration().hasTaskHistoryRetentionLimit()) {
      spec.getOrchestrationBuilder().setTaskHistoryRetentionLimit(5);
    }
    var raft = spec.getRaftBuilder();
    raft.setSnapshotInterval(raft.getSnapshotInterval() == 0 ? 10_000 : raft.getSnapshotInterval());
    raft.setKeepOldSnapshots(raft.getKeepOldSnapshots());
    raft.setLogEntriesForSlowFollowers(raft.getLogEntriesForSlowFollowers() == 0 ? 500 : raft.getLogEntriesForSlowFollowers());
    raft.setElectionTick(raft.getElectionTick() == 0 ? 10 : raft.getElectionTick());
    raft.setHeartbeatTick(raft.getHeartbeatTick() == 0 ? 1 : raft.getHeartbeatTick());
    if (spec.getDispatcher().getHeartbeatPeriod() == 0) {
      spec.getDispatcherBuilder().setHeartbeatPeriod(5 * SECOND);
    }
    if (spec.getCaConfig().getNodeCertExpiry() == 0) {
      spec.getCaConfigBuilder().setNodeCertExpiry(NODE_CERTIFICATE_LIFE);
    }
    spec.getTaskDefaultsBuilder();
    spec.getEncryptionConfigBuilder();
    return spec.build();
  }
}
