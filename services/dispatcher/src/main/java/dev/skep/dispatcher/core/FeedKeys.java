package dev.skep.dispatcher.core;

import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NodeGatewayRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TemplateRow;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Which keys of the feed a move of the state may concern, and the updates that follow. */
public final class FeedKeys {
  private final ClusterState state;
  private final Set<String> keys = new TreeSet<>();
  private Boolean anySuspect;

  private FeedKeys(ClusterState state) {
    this.state = state;
  }

  /** {@code state} is the state after the changes. */
  public static Set<String> concerned(ClusterState state, List<RowChange> changes) {
    FeedKeys found = new FeedKeys(state);
    changes.forEach(found::add);
    return found.keys;
  }

  private void add(RowChange change) {
    String id = change.key().lastPart();
    if (change.of(Rows.INTENT) || change.of(Rows.ADDRESS) || change.of(Rows.PLACEMENT) || change.of(Rows.STATUS)) {
      task(id, change);
    } else if (change.of(Rows.NODE_STATUS)) {
      node(id, change);
    } else if (change.of(Rows.NODE_SPEC)) {
      keys.add(FeedView.PEER + id);
    } else if (change.of(Rows.GATEWAY)) {
      keys.add(FeedView.PEER + ((NodeGatewayRow) change.newest()).getNodeId());
    } else if (change.of(Rows.NETWORK) || change.of(Rows.POOL)) {
      keys.add(FeedView.NETWORK + id);
    } else if (change.of(Rows.SERVICE) || change.of(Rows.ROLLOUT) || change.of(Rows.ENDPOINT)) {
      keys.add(FeedView.SERVICE + id);
    } else if (change.of(Rows.TEMPLATE)) {
      template((TemplateRow) change.newest());
    }
  }

  private void task(String id, RowChange change) {
    keys.add(FeedView.ENDPOINT + id);
    if (!suspects()) {
      return;
    }
    // The task may have been the last one on a node that is heard, or is the first: the others' fate hangs on it.
    TaskIntentRow intent = state.value(Rows.INTENT.key(id));
    if (intent != null) {
      service(intent.getServiceId());
    }
    if (change.of(Rows.INTENT)) {
      service(((TaskIntentRow) change.newest()).getServiceId());
    }
  }

  private boolean suspects() {
    if (anySuspect == null) {
      anySuspect = Serving.anySuspect(state);
    }
    return anySuspect;
  }

  private void service(String serviceId) {
    state.tasksOfService(serviceId).forEach(task -> keys.add(FeedView.ENDPOINT + task));
  }

  private void node(String id, RowChange change) {
    keys.add(FeedView.PEER + id);
    if (life(change.before() == null ? null : (NodeStatusRow) change.before().value())
        == life(change.after() == null ? null : (NodeStatusRow) change.after().value())) {
      return;
    }
    Set<String> services = new TreeSet<>();
    for (String taskId : state.tasksOfNode(id)) {
      TaskRecord task = TaskRecord.find(state, taskId);
      keys.add(FeedView.ENDPOINT + taskId);
      if (task != null) {
        services.add(task.intent().getServiceId());
      }
    }
    if (suspects()) {
      services.forEach(this::service);
    }
  }

  private static NodeLife life(NodeStatusRow row) {
    return row == null ? NodeLife.UNKNOWN : NodeLife.of(row);
  }

  private void template(TemplateRow template) {
    keys.add(FeedView.SERVICE + template.getServiceId());
    for (String taskId : state.tasksOfService(template.getServiceId())) {
      if (state.value(Rows.INTENT.key(taskId)).getTemplate() == template.getNumber()) {
        keys.add(FeedView.ENDPOINT + taskId);
      }
    }
  }

  /** Everything, as the first message of a stream. */
  public static FeedUpdate complete(ClusterState state, Collection<FeedEntry> entries) {
    return update(state).setComplete(true).addAllPut(entries).build();
  }

  /** What became of these keys. */
  public static FeedUpdate difference(ClusterState state, Map<String, FeedEntry> entries, Collection<String> changed) {
    FeedUpdate.Builder update = update(state);
    for (String key : changed) {
      FeedEntry entry = entries.get(key);
      if (entry == null) {
        update.addRemove(key);
      } else {
        update.addPut(entry);
      }
    }
    return update.build();
  }

  private static FeedUpdate.Builder update(ClusterState state) {
    return FeedUpdate.newBuilder().setEpoch(Assignments.epoch(state)).setRevision(state.revision());
  }
}
