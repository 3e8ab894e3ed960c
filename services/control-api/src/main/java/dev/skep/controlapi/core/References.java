package dev.skep.controlapi.core;

import com.google.protobuf.Message;
import dev.skep.state.ClusterState;
import dev.skep.state.Row;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.view.TaskView;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** What a user's word refers to: the object of this id, else of this full name, else the only one whose id begins so. */
public final class References {
  private References() {}

  /** The id of the service. */
  public static Answer<String> service(ClusterState state, String reference) {
    return find(state, ObjectKind.SERVICE, Rows.SERVICE, row -> row.value().getCurrent().getName(), reference);
  }

  /** Nodes go by their host name, or by the name that their spec gives them. Two may share one. */
  public static Answer<String> node(ClusterState state, String reference) {
    return find(state, ObjectKind.NODE, Rows.NODE_SPEC, row -> nodeName(state, row.key().lastPart(), row.value().getSpec().getName()),
        reference);
  }

  /** A node's name: what its spec says, else its host name. */
  static String nodeName(ClusterState state, String nodeId, String specName) {
    if (!specName.isEmpty()) {
      return specName;
    }
    NodeStatusRow status = state.value(Rows.NODE_STATUS.key(nodeId));
    return status == null ? "" : status.getDescription().getHostname();
  }

  /** Tasks of a removed service are not found, as they are in no list. */
  public static Answer<String> task(ClusterState state, String reference) {
    Answer<String> found = find(state, ObjectKind.TASK, Rows.INTENT, row -> taskName(state, row.value()), reference);
    return found.then(
        id -> TaskView.of(state, id).isPresent() ? Answer.ok(id) : Answer.refused(ApiError.notFound(ObjectKind.TASK, reference)));
  }

  /** {@code service.slot}, or {@code service.node} of a global one: without the task's id, as the tasks filter has it. */
  static String taskName(ClusterState state, TaskIntentRow task) {
    ServiceRow service = state.value(Rows.SERVICE.key(task.getServiceId()));
    String name = service == null ? task.getServiceName() : service.getCurrent().getName();
    return name + "." + (task.getSlot() == 0 ? task.getNodeId() : Long.toUnsignedString(task.getSlot()));
  }

  /** Overlay networks; they say in their own words what was ambiguous. */
  public static Answer<String> network(ClusterState state, String reference) {
    if (!plausible(reference)) {
      return Answer.refused(ApiError.notFound(ObjectKind.NETWORK, reference));
    }
    if (state.has(Rows.NETWORK.key(reference))) {
      return Answer.ok(reference);
    }
    List<String> named = new ArrayList<>();
    List<String> prefixed = new ArrayList<>();
    for (Row<NetworkRow> row : state.rows(Rows.NETWORK)) {
      collect(row.key().lastPart(), row.value().getName(), reference, named, prefixed);
    }
    if (named.size() > 1) {
      return Answer.refused(ApiError.ambiguousNetwork(reference, named.size(), "name"));
    }
    if (named.isEmpty() && prefixed.size() > 1) {
      return Answer.refused(ApiError.ambiguousNetwork(reference, prefixed.size(), "ID prefix"));
    }
    return only(named.isEmpty() ? prefixed : named, ObjectKind.NETWORK, reference);
  }

  private static <T extends Message> Answer<String> find(
      ClusterState state, ObjectKind kind, RowKind<T> rows, Function<Row<T>, String> name, String reference) {
    if (!plausible(reference)) {
      return Answer.refused(ApiError.notFound(kind, reference));
    }
    if (state.has(rows.key(reference))) {
      return Answer.ok(reference);
    }
    List<String> named = new ArrayList<>();
    List<String> prefixed = new ArrayList<>();
    for (Row<T> row : state.rows(rows)) {
      collect(row.key().lastPart(), name.apply(row), reference, named, prefixed);
    }
    return only(named.isEmpty() ? prefixed : named, kind, reference);
  }

  private static void collect(String id, String name, String reference, List<String> named, List<String> prefixed) {
    if (name.equals(reference)) {
      named.add(id);
    }
    if (id.startsWith(reference)) {
      prefixed.add(id);
    }
  }

  private static Answer<String> only(List<String> ids, ObjectKind kind, String reference) {
    return switch (ids.size()) {
      case 0 -> Answer.refused(ApiError.notFound(kind, reference));
      case 1 -> Answer.ok(ids.getFirst());
      default -> Answer.refused(ApiError.ambiguous(kind, reference, ids.size()));
    };
  }

  /** What could be no part of a key names nothing. */
  private static boolean plausible(String reference) {
    return !reference.isEmpty() && reference.indexOf('/') < 0;
  }
}
