package dev.skep.state;

import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import java.util.ArrayList;
import java.util.List;

/** A node's two rows, joined. The spec is the node: without it the node was removed. The status is a default one until it reports. */
public record NodeRecord(String id, NodeSpecRow spec, NodeStatusRow status) {

  /** The node, or null when it was removed. */
  public static NodeRecord find(ClusterState state, String nodeId) {
    NodeSpecRow spec = state.value(Rows.NODE_SPEC.key(nodeId));
    return spec == null ? null : new NodeRecord(nodeId, spec, statusOf(state, nodeId));
  }

  /** All nodes, in id order. */
  public static List<NodeRecord> all(ClusterState state) {
    List<NodeRecord> nodes = new ArrayList<>();
    for (Row<NodeSpecRow> spec : state.rows(Rows.NODE_SPEC)) {
      String id = spec.key().lastPart();
      nodes.add(new NodeRecord(id, spec.value(), statusOf(state, id)));
    }
    return nodes;
  }

  private static NodeStatusRow statusOf(ClusterState state, String nodeId) {
    NodeStatusRow status = state.value(Rows.NODE_STATUS.key(nodeId));
    return status == null ? NodeStatusRow.getDefaultInstance() : status;
  }

  public boolean ready() {
    return status.getState().equals("ready");
  }

  public boolean down() {
    return status.getState().equals("down");
  }

  /** It is to be a manager, and says why it is none. */
  public boolean cannotManage() {
    return !status.getCannotManage().isEmpty() && status.getManagerAddr().isEmpty();
  }

  /**
   * Others reach it as a manager: it is there, and so is one of its dispatchers. That may be in a process of its own, and its
   * row goes with it; on an embedded store dispatchers have none.
   */
  public boolean managerAnswers(ClusterState state) {
    return !down() && !cannotManage() && dispatches(state);
  }

  private boolean dispatches(ClusterState state) {
    boolean own = true;
    for (Row<DispatcherRow> dispatcher : state.rows(Rows.PEER)) {
      own = dispatcher.value().getNodeId().equals(id);
      if (own) {
        break;
      }
    }
    return own;
  }

  /** Nothing asked means active. */
  public boolean active() {
    String availability = spec.getSpec().getAvailability();
    return availability.isEmpty() || availability.equals("active");
  }

  public boolean drained() {
    return spec.getSpec().getAvailability().equals("drain");
  }

  /** New tasks may come here. */
  public boolean takesTasks() {
    return ready() && active();
  }

  /** Tasks must leave: nothing is said about nodes that are paused, unknown or disconnected. */
  public boolean evicts() {
    return down() || drained();
  }

  /** What users call it. */
  public String hostname() {
    String name = status.getDescription().getHostname();
    return name.isEmpty() ? id : name;
  }
}
