package dev.skep.dispatcher.core;

import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.NodeStatusRow;

/** What is thought of a node's life, in the words of the API's node states. */
public enum NodeLife {
  READY("ready"),
  /** Silent, but so many are at once (panic rule), or it said so before; or without its engine. In traffic; it gets no new tasks. */
  UNKNOWN("unknown"),
  /** Suspect: its endpoints are out of traffic. */
  DISCONNECTED("disconnected"),
  /** Its tasks are replaced. */
  DOWN("down");

  private final String state;

  NodeLife(String state) {
    this.state = state;
  }

  /** The word in the row. */
  public String state() {
    return state;
  }

  public static NodeLife of(NodeStatusRow row) {
    for (NodeLife life : values()) {
      if (life.state.equals(row.getState())) {
        return life;
      }
    }
    return UNKNOWN;
  }

  /** UNKNOWN when the node never reported. */
  public static NodeLife of(ClusterState state, String nodeId) {
    NodeStatusRow row = state.value(Rows.NODE_STATUS.key(nodeId));
    return row == null ? UNKNOWN : of(row);
  }
}
