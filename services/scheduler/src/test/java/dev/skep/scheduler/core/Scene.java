package dev.skep.scheduler.core;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.gen.Bench;
import dev.skep.testkit.gen.Specs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Nodes of 4 CPUs and 8 GiB, and tasks that wait to be placed on them. Tasks are named by the test; nothing is decided
 * before it asks {@link #where}, so that what waits is decided about together.
 */
final class Scene {
  private final Bench bench = new Bench(new SchedulerDecider());

  private Scene() {
    Specs.cluster(bench.cluster());
  }

  static Scene on(String... nodes) {
    Scene scene = new Scene();
    for (String node : nodes) {
      Specs.node(scene.bench.cluster(), node);
    }
    return scene;
  }

  Bench bench() {
    return bench;
  }

  // ---- nodes ----

  Scene node(String id, Consumer<NodeSpec.Builder> change) {
    NodeSpec.Builder spec = bench.state().value(Rows.NODE_SPEC.key(id)).getSpec().toBuilder();
    change.accept(spec);
    Specs.node(bench.cluster(), id, spec.build());
    return this;
  }

  Scene label(String node, String name, String value) {
    return node(node, spec -> spec.putLabels(name, value));
  }

  Scene nodeIs(String id, String state) {
    Specs.nodeStatus(bench.cluster(), id, state);
    return this;
  }

  Scene reporting(String id, Consumer<NodeStatusRow.Builder> change) {
    NodeStatusRow.Builder row = bench.state().value(Rows.NODE_STATUS.key(id)).toBuilder();
    change.accept(row);
    bench.cluster().put(Rows.NODE_STATUS.key(id), row.build());
    return this;
  }

  Scene nodeJoins(String id) {
    Specs.node(bench.cluster(), id);
    return this;
  }

  Scene nodeRemoved(String id) {
    bench.cluster().delete(Rows.NODE_STATUS.key(id)).delete(Rows.NODE_SPEC.key(id));
    return this;
  }

  // ---- services and tasks ----

  Scene service(String id, Consumer<TaskSpec.Builder> asks) {
    return service(id, asks, EndpointSpec.getDefaultInstance());
  }

  Scene service(String id, Consumer<TaskSpec.Builder> asks, EndpointSpec endpoint) {
    TaskSpec.Builder task = Specs.task("image:1").toBuilder();
    asks.accept(task);
    Specs.service(bench.cluster(), id, Specs.replicated(1), task.build(), endpoint);
    return this;
  }

  Scene service(String id) {
    return service(id, task -> { });
  }

  /** Tasks that have their addresses and wait for a node: {@code web.1} is the task of slot 1 of service web. */
  Scene waiting(String... tasks) {
    for (String task : tasks) {
      intent(task, intent -> intent.setSlot(Long.parseLong(task.substring(task.indexOf('.') + 1))));
      addressed(task);
    }
    return this;
  }

  /** A global service's task, whose node is given: {@code agent.n1}. */
  Scene given(String... tasks) {
    for (String task : tasks) {
      intent(task, intent -> intent.setNodeId(task.substring(task.indexOf('.') + 1)));
      addressed(task);
    }
    return this;
  }

  Scene unaddressed(String task) {
    return intent(task, intent -> intent.setSlot(1));
  }

  Scene addressed(String task) {
    return addressRow(task, "");
  }

  Scene addressRow(String task, String error) {
    bench.cluster().put(Rows.ADDRESS.key(task), TaskAddressRow.newBuilder().setTaskId(task).setError(error).build());
    return this;
  }

  private Scene intent(String task, Consumer<TaskIntentRow.Builder> change) {
    String service = task.substring(0, task.indexOf('.'));
    if (!bench.state().has(Rows.SERVICE.key(service))) {
      service(service);
    }
    long template = bench.state().value(Rows.SERVICE.key(service)).getCurrent().getTemplate();
    TaskIntentRow.Builder intent =
        TaskIntentRow.newBuilder().setId(task).setServiceId(service).setTemplate(template).setDesired(TaskState.TASK_RUNNING);
    change.accept(intent);
    bench.cluster().put(Rows.INTENT.key(task), intent.build());
    return this;
  }

  /** Tasks that are on the node already. */
  Scene running(String node, String... tasks) {
    for (String task : tasks) {
      waiting(task);
      bench.cluster().put(Rows.PLACEMENT.key(task), PlacementRow.newBuilder().setTaskId(task).setNodeId(node).build());
      reports(task, TaskState.TASK_RUNNING);
    }
    return this;
  }

  Scene reports(String task, TaskState state) {
    Specs.status(bench.cluster(), task, state, bench.now());
    return this;
  }

  Scene wants(String task, TaskState desired) {
    TaskIntentRow intent = bench.state().value(Rows.INTENT.key(task));
    bench.cluster().put(Rows.INTENT.key(task), intent.toBuilder().setDesired(desired).build());
    return this;
  }

  Scene forgotten(String task) {
    bench.cluster().delete(Rows.INTENT.key(task));
    return this;
  }

  Scene pass(Duration time) {
    bench.pass(time);
    return this;
  }

  // ---- what came of it ----

  /** The node of each of these tasks, or why it has none. */
  List<String> where(String... tasks) {
    bench.settle();
    List<String> nodes = new ArrayList<>();
    for (String task : tasks) {
      Row<PlacementRow> row = bench.state().row(Rows.PLACEMENT.key(task));
      nodes.add(row == null ? "" : row.value().getNodeId() + row.value().getReason());
    }
    return nodes;
  }

  String where(String task) {
    return where(new String[] {task}).getFirst();
  }

  long tasksOf(String service, String node) {
    bench.settle();
    return TaskRecord.ofService(bench.state(), service).stream().filter(task -> task.nodeId().equals(node)).count();
  }
}
