package dev.skep.controlapi.core;

import dev.skep.control.v1.Restore;
import dev.skep.control.v1.RestoreNode;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.NodeRecord;
import dev.skep.state.Restored;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.Times;
import dev.skep.state.v1.ClusterRow;

/** What a restored cluster waits with, and the word that lets it go on. */
public final class Restores {
  private Restores() {}

  public static Answer<Restore> pending(ClusterState state) {
    if (!Restored.unconfirmed(state)) {
      return Answer.refused(ApiError.failedPrecondition("no restore waits for a confirmation"));
    }
    Restore.Builder restore = Restore.newBuilder().setCopiedAt(state.value(Rows.cluster()).getOrigin().getCopiedAt());
    for (NodeRecord node : NodeRecord.all(state)) {
      restore.addNodes(RestoreNode.newBuilder()
          .setId(node.id())
          .setHostname(node.hostname())
          .setState(node.status().getState().isEmpty() ? "unknown" : node.status().getState())
          .addAllUnknownTasks(node.status().getUnknownTasksList()));
    }
    return Answer.ok(restore.build());
  }

  public static Answer<Planned<Restore>> confirm(ClusterState state, Tick tick) {
    return pending(state).then(restore -> {
      Row<ClusterRow> cluster = state.row(Rows.cluster());
      ClusterRow.Builder row = cluster.value().toBuilder().setUpdatedAt(Times.of(tick.now()));
      row.getOriginBuilder().clearUnconfirmed();
      return Planned.of(restore, ChangeSet.about(cluster.value().getId()).unmodified(cluster).put(Rows.cluster(), row.build()));
    });
  }
}
