package dev.skep.dispatcher.core;

import com.google.protobuf.ByteString;
import dev.skep.certificates.v1.Manager;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

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

  /**
   * All managers that said where they are.
   *
   * @param own the manager that asks, which may not have reported yet
   */
  public static List<Manager> managers(ClusterState state, Optional<Manager> own) {
    SortedMap<String, Manager> managers = new TreeMap<>();
    for (Row<NodeSpecRow> row : state.rows(Rows.NODE_SPEC)) {
      String id = row.key().lastPart();
      NodeStatusRow seen = state.value(Rows.NODE_STATUS.key(id));
      if (row.value().getSpec().getRole().equals("manager") && seen != null && !seen.getManagerAddr().isEmpty() && !seen.getLeft()) {
        managers.put(id, Manager.newBuilder().setNodeId(id).setAddress(seen.getManagerAddr()).build());
      }
    }
    own.ifPresent(one -> managers.put(one.getNodeId(), one));
    return List.copyOf(managers.values());
  }

  /** Whether a change may concern who the managers are, and where. */
  public static boolean movesManagers(RowChange change) {
    if (!change.of(Rows.NODE_STATUS)) {
      return change.of(Rows.NODE_SPEC) || change.of(Rows.CLUSTER);
    }
    return change.before() == null || change.after() == null || !where((NodeStatusRow) change.before().value()).equals(
        where((NodeStatusRow) change.after().value()));
  }

  private static String where(NodeStatusRow node) {
    return node.getLeft() ? "" : node.getManagerAddr();
  }

  /** The managers in the order in which this node should try them: each node has an order of its own, so that they spread. */
  public static List<Manager> inOrder(List<Manager> managers, String nodeId) {
    return managers.stream().sorted(Comparator.comparingLong(manager -> weight(manager.getNodeId(), nodeId))).toList();
  }

  /** Differs for every pair, also of ids that are alike. */
  private static long weight(String managerId, String nodeId) {
    long hash = 0xcbf29ce484222325L;
    for (char letter : (managerId + "/" + nodeId).toCharArray()) {
      hash = (hash ^ letter) * 0x100000001b3L;
    }
    hash ^= hash >>> 32;
    return hash * 0x9e3779b97f4a7c15L;
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
