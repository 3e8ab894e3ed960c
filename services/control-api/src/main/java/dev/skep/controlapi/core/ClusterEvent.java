package dev.skep.controlapi.core;

import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.NetworkRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TemplateRow;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** One event of {@code docker events}, scope swarm: what a changed row means to a user. */
public record ClusterEvent(String type, String action, String id, Map<String, String> attributes) {
  private static final Set<String> OBJECT_KEYS =
      Set.of("container", "plugin", "volume", "network", "daemon", "service", "node", "secret", "config", "image");

  public ClusterEvent {
    attributes = new TreeMap<>(attributes);
  }

  /** The event of a change, in the state after it; empty when it means nothing to a user. */
  public static Optional<ClusterEvent> of(ClusterState state, RowChange change) {
    String id = change.key().lastPart();
    return switch (change.newest()) {
      case ServiceRow row -> Optional.of(service(state, id, change, row));
      case RolloutRow row -> rollout(state, id, change, row);
      case NetworkRow row ->
          Optional.of(new ClusterEvent("network", action(change), id, Map.of("name", row.getName())));
      case NodeSpecRow _ -> Optional.of(node(state, id, change));
      case NodeStatusRow _ -> nodeState(state, id, change);
      default -> Optional.empty();
    };
  }

  private static String action(RowChange change) {
    return change.before() == null ? "create" : change.after() == null ? "remove" : "update";
  }

  private static ClusterEvent service(ClusterState state, String id, RowChange change, ServiceRow row) {
    Map<String, String> attributes = new TreeMap<>(Map.of("name", row.getCurrent().getName()));
    if (change.before() != null && change.after() != null) {
      ServiceRow before = (ServiceRow) change.before().value();
      differing(attributes, "replicas", replicas(before), replicas(row));
      differing(attributes, "image", image(state, id, before), image(state, id, row));
    }
    return new ClusterEvent("service", action(change), id, attributes);
  }

  private static String replicas(ServiceRow row) {
    return row.getCurrent().getMode().hasReplicated() ? Long.toUnsignedString(row.getCurrent().getMode().getReplicated().getReplicas())
        : "";
  }

  private static String image(ClusterState state, String id, ServiceRow row) {
    TemplateRow template = state.value(Rows.template(id, row.getCurrent().getTemplate()));
    return template == null ? "" : template.getTask().getContainerSpec().getImage();
  }

  private static Optional<ClusterEvent> rollout(ClusterState state, String id, RowChange change, RolloutRow row) {
    String before = change.before() == null ? "" : ((RolloutRow) change.before().value()).getState();
    ServiceRow service = state.value(Rows.SERVICE.key(id));
    if (change.after() == null || service == null || before.equals(row.getState())) {
      return Optional.empty();
    }
    Map<String, String> attributes = new TreeMap<>(Map.of("name", service.getCurrent().getName()));
    differing(attributes, "updatestate", before, row.getState());
    return Optional.of(new ClusterEvent("service", "update", id, attributes));
  }

  private static ClusterEvent node(ClusterState state, String id, RowChange change) {
    Map<String, String> attributes = new TreeMap<>(Map.of("name", References.nodeName(state, id, "")));
    if (change.before() != null && change.after() != null) {
      NodeSpecRow before = (NodeSpecRow) change.before().value();
      NodeSpecRow after = (NodeSpecRow) change.after().value();
      differing(attributes, "availability", before.getSpec().getAvailability(), after.getSpec().getAvailability());
      differing(attributes, "role", before.getSpec().getRole(), after.getSpec().getRole());
    }
    return new ClusterEvent("node", action(change), id, attributes);
  }

  private static Optional<ClusterEvent> nodeState(ClusterState state, String id, RowChange change) {
    String before = change.before() == null ? "" : ((NodeStatusRow) change.before().value()).getState();
    String after = change.after() == null ? "" : ((NodeStatusRow) change.after().value()).getState();
    if (before.equals(after) || after.isEmpty()) {
      return Optional.empty();
    }
    Map<String, String> attributes = new TreeMap<>(Map.of("name", References.nodeName(state, id, "")));
    differing(attributes, "state", before, after);
    return Optional.of(new ClusterEvent("node", "update", id, attributes));
  }

  private static void differing(Map<String, String> attributes, String key, String before, String after) {
    if (!before.equals(after)) {
      if (!after.isEmpty()) {
        attributes.put(key + ".new", after);
      }
      if (!before.isEmpty()) {
        attributes.put(key + ".old", before);
      }
    }
  }

  /** Docker's rules for events: keys that it does not know are ignored. */
  public boolean passes(Map<String, Set<String>> filters) {
    return holds(filters, "type", type) && holds(filters, "event", action) && holds(filters, "scope", "swarm") && objects(filters)
        && labels(filters);
  }

  private static boolean holds(Map<String, Set<String>> filters, String key, String value) {
    Set<String> wanted = filters.getOrDefault(key, Set.of());
    return wanted.isEmpty() || wanted.contains(value);
  }

  private boolean objects(Map<String, Set<String>> filters) {
    String name = attributes.getOrDefault("name", "");
    for (String key : OBJECT_KEYS) {
      Set<String> wanted = filters.getOrDefault(key, Set.of());
      if (!wanted.isEmpty()
          && (!key.equals(type) || wanted.stream().noneMatch(prefix -> id.startsWith(prefix) || name.startsWith(prefix)))) {
        return false;
      }
    }
    return true;
  }

  private boolean labels(Map<String, Set<String>> filters) {
    for (String label : filters.getOrDefault("label", Set.of())) {
      int equals = label.indexOf('=');
      String value = attributes.get(equals < 0 ? label : label.substring(0, equals));
      if (value == null || equals >= 0 && !value.equals(label.substring(equals + 1))) {
        return false;
      }
    }
    return true;
  }
}
