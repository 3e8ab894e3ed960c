package dev.skep.controlapi.core;

import com.google.protobuf.ByteString;
import dev.skep.api.v1.CAConfig;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Key;
import dev.skep.state.NodeRecord;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.RootRotation;
import dev.skep.state.v1.SealedRow;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * From one root of the cluster's trust to the next: both are trusted from the request on, and when every node has a
 * certificate of the new one, the old one is dropped. A node that is down is waited for for a while: whoever comes back
 * later has to join anew. docs/NODES.md, "Rotation of the root".
 */
public final class RootRotations {
  /**
   * A root to rotate to.
   *
   * @param crossSignedPem its key, signed by the root in force
   * @param sealed its private key
   */
  public record Next(String rootPem, String crossSignedPem, byte[] subject, byte[] publicKey, Map<Key<SealedRow>, SealedRow> sealed) {}

  /**
   * What a rotation that ends seals anew.
   *
   * @param put the new root's key in the old one's place, and join tokens that name the new root
   * @param delete what nobody needs any more
   */
  public record Sealed(Map<Key<SealedRow>, SealedRow> put, Set<Key<SealedRow>> delete) {}

  /** So long a node may be down without missing a rotation. */
  public static final Duration PATIENCE = Duration.ofHours(1);

  private RootRotations() {}

  /** Whether the user asks for another root than the one in force or under way. */
  public static boolean wanted(ClusterState state, CAConfig asked) {
    ClusterRow cluster = state.value(Rows.cluster());
    return cluster != null && asked.getForceRotate() != cluster.getSpec().getCaConfig().getForceRotate();
  }

  /** Also when another one is under way: that one is given up, and whoever followed it already is trusted through the old root. */
  static void begin(ClusterRow.Builder cluster, Next next, Tick tick) {
    cluster.setRootRotation(
        RootRotation.newBuilder()
            .setRootPem(next.rootPem())
            .setCrossSignedPem(next.crossSignedPem())
            .setIssuerSubject(ByteString.copyFrom(next.subject()))
            .setIssuerPublicKey(ByteString.copyFrom(next.publicKey()))
            .setStartedAt(Times.of(tick.now())));
  }

  /** Until when nodes that are down are waited for; empty when no rotation is under way. */
  public static Optional<Instant> patientUntil(ClusterState state) {
    ClusterRow cluster = state.value(Rows.cluster());
    return cluster == null || !cluster.hasRootRotation() ? Optional.empty()
        : Optional.of(Times.instant(cluster.getRootRotation().getStartedAt()).plus(PATIENCE));
  }

  /** A rotation is under way, and every node that counts has followed it. */
  public static boolean followed(ClusterState state, Instant now) {
    Optional<Instant> until = patientUntil(state);
    if (until.isEmpty()) {
      return false;
    }
    RootRotation rotation = state.value(Rows.cluster()).getRootRotation();
    boolean impatient = !now.isBefore(until.get());
    return NodeRecord.all(state).stream().allMatch(node -> impatient && node.down() || follows(node, rotation));
  }

  private static boolean follows(NodeRecord node, RootRotation rotation) {
    return node.status().getDescription().getTlsInfo().getCertIssuerPublicKey().equals(rotation.getIssuerPublicKey());
  }

  /** The new root takes the old one's place. Ask only when all have followed. Answers the cluster's id. */
  public static Answer<Planned<String>> finish(ClusterState state, Sealed sealed, Tick tick) {
    Row<ClusterRow> cluster = state.row(Rows.cluster());
    RootRotation rotation = cluster.value().getRootRotation();
    ClusterRow.Builder row =
        cluster.value().toBuilder()
            .setTrustRootPem(rotation.getRootPem())
            .setCertIssuerSubject(rotation.getIssuerSubject())
            .setCertIssuerPublicKey(rotation.getIssuerPublicKey())
            .clearRootRotation()
            .setUpdatedAt(Times.of(tick.now()));
    ChangeSet.Builder change = ChangeSet.about(cluster.value().getId()).unmodified(cluster).put(Rows.cluster(), row.build());
    sealed.put().forEach(change::put);
    sealed.delete().forEach(change::delete);
    return Planned.of(cluster.value().getId(), change);
  }
}
