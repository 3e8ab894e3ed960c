package dev.skep.controlapi.core;

import dev.skep.api.v1.Network;
import dev.skep.api.v1.Node;
import dev.skep.api.v1.Service;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.Task;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.ClusterState;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.view.TaskStates;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Filters of lists, with Docker's rules: the values of one key are alternatives, labels and keys have to hold all
 * together. The map is what {@code DockerJson.readFilters} made of the query value.
 */
public final class Filters {
  private static final Set<String> SERVICE_KEYS = Set.of("id", "name", "label", "mode", "runtime");
  private static final Set<String> TASK_KEYS = Set.of("id", "name", "label", "service", "node", "desired-state", "runtime", "_up-to-date");
  private static final Set<String> NODE_KEYS = Set.of("id", "name", "label", "node.label", "role", "membership");
  private static final Set<String> NETWORK_KEYS = Set.of("id", "name", "label", "driver", "scope", "type", "dangling");
  private static final Set<String> OBJECT_KEYS = Set.of("id", "name", "names", "label");

  private Filters() {}

  public static Answer<List<Service>> services(Map<String, Set<String>> filters, List<Service> all) {
    return known(filters, SERVICE_KEYS)
        .map(
            _ ->
                kept(
                    all,
                    prefix(filters, "id", Service::getId),
                    prefix(filters, "name", service -> service.getSpec().getName()),
                    labels(filters, "label", service -> service.getSpec().getLabelsMap()),
                    exact(filters, "mode", service -> mode(service.getSpec().getMode())),
                    exact(filters, "runtime", service -> service.getSpec().getTaskTemplate().getRuntime())));
  }

  private static String mode(ServiceMode mode) {
    if (mode.hasGlobal()) {
      return "global";
    }
    if (mode.hasReplicatedJob()) {
      return "replicated-job";
    }
    return mode.hasGlobalJob() ? "global-job" : "replicated";
  }

  public static Answer<List<Task>> tasks(ClusterState state, Map<String, Set<String>> filters, List<Task> all) {
    return known(filters, TASK_KEYS)
        .then(_ -> desired(filters))
        .then(
            desired ->
                resolved(filters, "service", reference -> References.service(state, reference))
                    .then(
                        services ->
                            resolved(filters, "node", reference -> References.node(state, reference))
                                .map(
                                    nodes ->
                                        kept(
                                            all,
                                            prefix(filters, "id", Task::getId),
                                            prefix(filters, "name", task -> name(state, task)),
                                            labels(filters, "label", task -> serviceLabels(state, task)),
                                            exact(filters, "runtime", _ -> "container"),
                                            task -> services.isEmpty() || services.contains(task.getServiceId()),
                                            task -> nodes.isEmpty() || nodes.contains(task.getNodeId()),
                                            task -> desired.isEmpty() || desired.contains(task.getDesiredState()),
                                            task -> !upToDate(filters) || current(state, task)))));
  }

  private static Answer<Set<String>> desired(Map<String, Set<String>> filters) {
    Set<String> states = new HashSet<>();
    for (String word : filters.getOrDefault("desired-state", Set.of())) {
      Optional<TaskState> state = TaskStates.of(word);
      if (state.isEmpty()) {
        return Answer.refused(ApiError.internal("Invalid desired-state filter: '" + word + "'"));
      }
      states.add(TaskStates.text(state.get()));
    }
    return Answer.ok(states);
  }

  private static Answer<Set<String>> resolved(Map<String, Set<String>> filters, String key, Function<String, Answer<String>> resolve) {
    Set<String> ids = new HashSet<>();
    for (String reference : filters.getOrDefault(key, Set.of())) {
      switch (resolve.apply(reference)) {
        case Answer.Ok<String> id -> ids.add(id.value());
        case Answer.Refused<String> refused -> {
          return Answer.refused(refused.error());
        }
      }
    }
    return Answer.ok(ids);
  }

  private static String name(ClusterState state, Task task) {
    TaskIntentRow intent = state.value(Rows.INTENT.key(task.getId()));
    return intent == null ? "" : References.taskName(state, intent) + "." + task.getId();
  }

  private static Map<String, String> serviceLabels(ClusterState state, Task task) {
    ServiceRow service = state.value(Rows.SERVICE.key(task.getServiceId()));
    return service == null ? Map.of() : service.getCurrent().getLabelsMap();
  }

  private static boolean upToDate(Map<String, Set<String>> filters) {
    return filters.getOrDefault("_up-to-date", Set.of()).stream().anyMatch(value -> !value.equals("false") && !value.equals("0"));
  }

  /** It runs the template that is in force. Progress bars count on older ones being hidden. */
  private static boolean current(ClusterState state, Task task) {
    EffectiveSpec spec = EffectiveSpec.of(state, task.getServiceId());
    TaskIntentRow intent = state.value(Rows.INTENT.key(task.getId()));
    return spec != null && intent != null && spec.template().getNumber() == intent.getTemplate();
  }

  public static Answer<List<Node>> nodes(Map<String, Set<String>> filters, List<Node> all) {
    return known(filters, NODE_KEYS)
        .then(_ -> words(filters, "role", Set.of("worker", "manager")))
        .then(_ -> words(filters, "membership", Set.of("accepted", "pending")))
        .map(
            _ ->
                kept(
                    all,
                    prefix(filters, "id", Node::getId),
                    either(
                        prefix(filters, "name", node -> node.getDescription().getHostname()),
                        prefix(filters, "name", node -> node.getSpec().getName())),
                    labels(filters, "label", node -> node.getDescription().getEngine().getLabelsMap()),
                    labels(filters, "node.label", node -> node.getSpec().getLabelsMap()),
                    exact(filters, "role", node -> node.getSpec().getRole()),
                    exact(filters, "membership", _ -> "accepted")));
  }

  private static Answer<Boolean> words(Map<String, Set<String>> filters, String key, Set<String> words) {
    for (String word : filters.getOrDefault(key, Set.of())) {
      if (!words.contains(word)) {
        return Answer.refused(ApiError.internal("Invalid " + key + " filter: '" + word + "'"));
      }
    }
    return Answer.ok(true);
  }

  /** Of overlay networks only; those of the engine are filtered by the engine. */
  public static Answer<List<Network>> networks(ClusterState state, Map<String, Set<String>> filters, List<Network> all) {
    return known(filters, NETWORK_KEYS)
        .then(_ -> networkType(filters))
        .then(_ -> dangling(filters))
        .map(
            dangling ->
                kept(
                    all,
                    substring(filters, "id", Network::getId),
                    substring(filters, "name", Network::getName),
                    labels(filters, "label", Network::getLabelsMap),
                    exact(filters, "driver", Network::getDriver),
                    exact(filters, "scope", Network::getScope),
                    exact(filters, "type", _ -> "custom"),
                    network -> dangling.isEmpty() || dangling.get() == unused(state, network)));
  }

  private static Answer<Boolean> networkType(Map<String, Set<String>> filters) {
    for (String word : filters.getOrDefault("type", Set.of())) {
      if (!word.equals("custom") && !word.equals("builtin")) {
        return Answer.refused(ApiError.badRequest("Invalid filter: 'type'='" + word + "'"));
      }
    }
    return Answer.ok(true);
  }

  private static Answer<Optional<Boolean>> dangling(Map<String, Set<String>> filters) {
    Set<String> values = filters.getOrDefault("dangling", Set.of());
    if (values.isEmpty()) {
      return Answer.ok(Optional.empty());
    }
    String value = values.iterator().next();
    return switch (value) {
      case "true", "1", "True", "t" -> Answer.ok(Optional.of(true));
      case "false", "0", "False", "f" -> Answer.ok(Optional.of(false));
      default -> Answer.refused(ApiError.badRequest("Invalid filter 'dangling=[" + value + "]'"));
    };
  }

  private static boolean unused(ClusterState state, Network network) {
    if (network.getIngress()) {
      return false;
    }
    for (Row<ServiceRow> row : state.rows(Rows.SERVICE)) {
      TaskSpec task = EffectiveSpec.of(state, row.key().lastPart()).template().getTask();
      if (task.getNetworksList().stream().anyMatch(attachment -> attachment.getTarget().equals(network.getId()))) {
        return false;
      }
    }
    return true;
  }

  /** Secrets and configs: which keys there are; the lists themselves are empty so far. */
  public static Optional<ApiError> checkObjectFilters(Map<String, Set<String>> filters) {
    return known(filters, OBJECT_KEYS) instanceof Answer.Refused<Boolean> refused ? Optional.of(refused.error()) : Optional.empty();
  }

  private static Answer<Boolean> known(Map<String, Set<String>> filters, Set<String> keys) {
    for (String key : filters.keySet()) {
      if (!keys.contains(key)) {
        return Answer.refused(ApiError.badRequest("Invalid filter '" + key + "'"));
      }
    }
    return Answer.ok(true);
  }

  @SafeVarargs
  private static <T> List<T> kept(List<T> all, Predicate<T>... rules) {
    return all.stream()
        .filter(
            one -> {
              for (Predicate<T> rule : rules) {
                if (!rule.test(one)) {
                  return false;
                }
              }
              return true;
            })
        .toList();
  }

  private static <T> Predicate<T> either(Predicate<T> one, Predicate<T> other) {
    return object -> one.test(object) || other.test(object);
  }

  private static <T> Predicate<T> prefix(Map<String, Set<String>> filters, String key, Function<T, String> text) {
    return any(filters, key, text, String::startsWith);
  }

  private static <T> Predicate<T> substring(Map<String, Set<String>> filters, String key, Function<T, String> text) {
    return any(filters, key, text, String::contains);
  }

  private static <T> Predicate<T> exact(Map<String, Set<String>> filters, String key, Function<T, String> text) {
    return any(filters, key, text, String::equals);
  }

  private interface Match {
    boolean test(String text, String value);
  }

  private static <T> Predicate<T> any(Map<String, Set<String>> filters, String key, Function<T, String> text, Match match) {
    Set<String> values = filters.getOrDefault(key, Set.of());
    return object -> {
      if (values.isEmpty()) {
        return true;
      }
      String own = text.apply(object);
      return values.stream().anyMatch(value -> match.test(own, value));
    };
  }

  /** {@code k} or {@code k=v}; {@code k=} is as good as {@code k}. */
  private static <T> Predicate<T> labels(Map<String, Set<String>> filters, String key, Function<T, Map<String, String>> labels) {
    Set<String> wanted = filters.getOrDefault(key, Set.of());
    return object -> {
      if (wanted.isEmpty()) {
        return true;
      }
      Map<String, String> own = labels.apply(object);
      return wanted.stream().allMatch(label -> holds(own, label));
    };
  }

  private static boolean holds(Map<String, String> labels, String wanted) {
    int equals = wanted.indexOf('=');
    String value = labels.get(equals < 0 ? wanted : wanted.substring(0, equals));
    return value != null && (equals < 0 || equals == wanted.length() - 1 || value.equals(wanted.substring(equals + 1)));
  }
}
