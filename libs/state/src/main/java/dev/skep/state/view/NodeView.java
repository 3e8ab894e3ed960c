package dev.skep.state.view;

import com.google.protobuf.Timestamp;
import dev.skep.api.v1.ManagerStatus;
import dev.skep.api.v1.Node;
import dev.skep.api.v1.NodeStatus;
import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Restored;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A node: what the user wants of it and what was seen of it. */
public final class NodeView {
  /** The port that swarm's managers answer on; a node's address is shown with it when it names none of its own. */
  public static final int MANAGER_PORT = 2377;

  private NodeView() {}

  public static Optional<Node> of(ClusterState state, String id) {
    return Optional.ofNullable(state.row(Rows.NODE_SPEC.key(id))).map(row -> node(state, row));
  }

  /** All nodes, in id order. */
  public static List<Node> all(ClusterState state) {
    List<Node> all = new ArrayList<>();
    for (Row<NodeSpecRow> row : state.rows(Rows.NODE_SPEC)) {
      all.add(node(state, row));
    }
    return all;
  }

  static boolean manager(NodeSpecRow row) {
    return row.getSpec().getRole().equals("manager");
  }

  private static Node node(ClusterState state, Row<NodeSpecRow> row) {
    NodeSpecRow asked = row.value();
    Row<NodeStatusRow> statusRow = state.row(Rows.NODE_STATUS.key(asked.getId()));
    NodeStatusRow seen = statusRow == null ? NodeStatusRow.getDefaultInstance() : statusRow.value();
    Timestamp updated = seen.hasUpdatedAt() ? Join.later(asked.getUpdatedAt(), seen.getUpdatedAt()) : asked.getUpdatedAt();
    Node.Builder node =
        Node.newBuilder()
            .setId(asked.getId())
            .setVersion(Join.version(row, statusRow))
            .setCreatedAt(asked.getCreatedAt())
            .setUpdatedAt(updated)
            .setSpec(asked.getSpec())
            .setDescription(seen.getDescription())
            .setStatus(
                NodeStatus.newBuilder()
                    .setState(seen.getState().isEmpty() ? "unknown" : seen.getState())
                    .setMessage(seen.getMessage().isEmpty() ? Restored.notice(state).orElse("") : seen.getMessage())
                    .setAddr(seen.getAddr()));
    if (manager(asked)) {
      node.setManagerStatus(managerStatus(state, asked, seen));
    }
    return node.build();
  }

  /**
   * The leader is the manager on whose host the orchestrator's loop is held. A lone manager is it whenever anybody is: an
   * embedded cluster's processes do not say where they are.
   */
  private static ManagerStatus managerStatus(ClusterState state, NodeSpecRow asked, NodeStatusRow seen) {
    LeaderRow leader = state.value(Rows.LEADER.key("orchestrator"));
    String addr = managerAddr(seen);
    boolean leads = leader != null && (leader.getNodeId().isEmpty() ? managers(state) == 1 : leader.getNodeId().equals(asked.getId()));
    NodeRecord node = new NodeRecord(asked.getId(), asked, seen);
    String reachability = leads || node.managerAnswers(state) ? "reachable" : "unreachable";
    boolean neverSeen = !leads && seen.getState().isEmpty() && !node.cannotManage();
    return ManagerStatus.newBuilder().setLeader(leads).setReachability(neverSeen ? "unknown" : reachability).setAddr(addr).build();
  }

  static int managers(ClusterState state) {
    int managers = 0;
    for (Row<NodeSpecRow> row : state.rows(Rows.NODE_SPEC)) {
      managers += manager(row.value()) ? 1 : 0;
    }
    return managers;
  }

  /** Host and port; empty when the node has not said where it is. */
  static String managerAddr(NodeStatusRow seen) {
    if (!seen.getManagerAddr().isEmpty()) {
      return seen.getManagerAddr();
    }
    String addr = seen.getAddr();
    if (addr.isEmpty() || addr.startsWith("[") || addr.indexOf(':') >= 0 && addr.indexOf(':') == addr.lastIndexOf(':')) {
      return addr;
    }
    return (addr.indexOf(':') >= 0 ? "[" + addr + "]" : addr) + ":" + MANAGER_PORT;
  }
}
