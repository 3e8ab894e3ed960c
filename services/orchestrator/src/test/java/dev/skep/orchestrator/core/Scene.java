package dev.skep.orchestrator.core;

import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.ServiceMode;
import dev.skep.api.v1.TaskSpec;
import dev.skep.api.v1.UpdateConfig;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.gen.Bench;
import dev.skep.testkit.gen.Specs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * The service {@code web} in a small cluster. Everybody but the orchestrator is played by the test; after each of its
 * moves the orchestrator settles. {@link #tasks} shows what came of it, a line for each task:
 * {@code slot desired observed node}, slot by slot and oldest first.
 */
final class Scene {
  static final String WEB = "web";

  private final Bench bench = new Bench(new OrchestratorDecider());
  private final List<String> nodes;
  private ServiceMode mode = Specs.replicated(1);
  private TaskSpec task = Specs.task("image:1");
  private UpdateConfig update;

  private Scene(String... nodes) {
    this.nodes = List.of(nodes);
    Specs.cluster(bench.cluster());
    this.nodes.forEach(node -> Specs.node(bench.cluster(), node));
  }

  static Scene on(String... nodes) {
    return new Scene(nodes);
  }

  Bench bench() {
    return bench;
  }

  // ---- what users do ----

  Scene replicas(long replicas) {
    mode = Specs.replicated(replicas);
    return post();
  }

  Scene global() {
    mode = Specs.global();
    return post();
  }

  /** For the next time the service is posted. */
  Scene asking(Consumer<TaskSpec.Builder> change) {
    TaskSpec.Builder changed = task.toBuilder();
    change.accept(changed);
    task = changed.build();
    return this;
  }

  Scene updating(Consumer<UpdateConfig.Builder> change) {
    UpdateConfig.Builder config = UpdateConfig.newBuilder().setParallelism(1);
    change.accept(config);
    update = config.build();
    return this;
  }

  Scene image(String image) {
    return asking(changed -> changed.getContainerSpecBuilder().setImage(image)).post();
  }

  Scene post() {
    Specs.service(bench.cluster(), WEB, mode, task, EndpointSpec.getDefaultInstance());
    if (update != null) {
      ServiceRow.Builder row = bench.state().value(Rows.SERVICE.key(WEB)).toBuilder();
      row.getCurrentBuilder().setUpdateConfig(update);
      bench.cluster().put(Rows.SERVICE.key(WEB), row.build());
    }
    return settle();
  }

  Scene removed() {
    Specs.removeService(bench.cluster(), WEB);
    return settle();
  }

  Scene history(long limit) {
    ClusterRow.Builder row = bench.state().value(Rows.cluster()).toBuilder();
    row.getSpecBuilder().getOrchestrationBuilder().setTaskHistoryRetentionLimit(limit);
    bench.cluster().put(Rows.cluster(), row.build());
    return settle();
  }

  Scene availability(String node, String availability) {
    return node(node, spec -> spec.setAvailability(availability));
  }

  Scene label(String node, String name, String value) {
    return node(node, spec -> spec.putLabels(name, value));
  }

  private Scene node(String node, Consumer<NodeSpec.Builder> change) {
    NodeSpec.Builder spec = bench.state().value(Rows.NODE_SPEC.key(node)).getSpec().toBuilder();
    change.accept(spec);
    Specs.node(bench.cluster(), node, spec.build());
    return settle();
  }

  Scene nodeJoins(String node) {
    Specs.node(bench.cluster(), node);
    return settle();
  }

  Scene nodeRemoved(String node) {
    bench.cluster().delete(Rows.NODE_STATUS.key(node)).delete(Rows.NODE_SPEC.key(node));
    return settle();
  }

  // ---- what nodes and the other services do ----

  Scene nodeIs(String node, String state) {
    Specs.nodeStatus(bench.cluster(), node, state);
    return settle();
  }

  Scene placed(long slot, String node) {
    return place(current(Long.toString(slot)), node).settle();
  }

  private Scene place(TaskIntentRow intent, String node) {
    bench.cluster().put(Rows.PLACEMENT.key(intent.getId()), PlacementRow.newBuilder().setTaskId(intent.getId()).setNodeId(node).build());
    return this;
  }

  /** All tasks that should run are placed, slot after slot on these nodes in turn, and run. */
  Scene runningOn(String... order) {
    for (TaskRecord record : records()) {
      TaskIntentRow intent = record.intent();
      if (intent.getDesiredValue() <= TaskState.TASK_RUNNING_VALUE && record.nodeId().isEmpty()) {
        place(intent, intent.getNodeId().isEmpty() ? order[(int) (intent.getSlot() - 1) % order.length] : intent.getNodeId());
      }
      if (intent.getDesired() == TaskState.TASK_RUNNING && record.observed().getNumber() < TaskState.TASK_RUNNING_VALUE) {
        Specs.status(bench.cluster(), intent.getId(), TaskState.TASK_RUNNING, bench.now());
      }
    }
    return settle();
  }

  Scene running() {
    return runningOn(nodes.toArray(String[]::new));
  }

  /** Nodes have stopped what they were told to stop. */
  Scene stopped() {
    for (TaskRecord record : records()) {
      boolean told = record.desired().getNumber() >= TaskState.TASK_SHUTDOWN_VALUE;
      if (told && !record.nodeId().isEmpty() && !record.confirmedStopped()) {
        Specs.status(bench.cluster(), record.id(), TaskState.TASK_SHUTDOWN, bench.now());
      }
    }
    return settle();
  }

  /** The node of the slot's current task says this about it. */
  Scene reports(long slot, TaskState state) {
    return reports(Long.toString(slot), state);
  }

  Scene reports(String slot, TaskState state) {
    TaskIntentRow intent = current(slot);
    if (bench.state().row(Rows.PLACEMENT.key(intent.getId())) == null) {
      place(intent, intent.getNodeId().isEmpty() ? nodes.getFirst() : intent.getNodeId());
    }
    Specs.status(bench.cluster(), intent.getId(), state, bench.now());
    return settle();
  }

  Scene seconds(double seconds) {
    bench.pass(Duration.ofMillis(Math.round(seconds * 1000)));
    return settle();
  }

  private Scene settle() {
    bench.settle();
    return this;
  }

  // ---- what came of it ----

  List<String> tasks() {
    return records().stream().map(Scene::line).toList();
  }

  /** Only those that are meant to run, now or soon. */
  List<String> live() {
    return records().stream().filter(record -> record.desired().getNumber() < TaskState.TASK_SHUTDOWN_VALUE).map(Scene::line).toList();
  }

  /** How far the update is; empty when there was none. */
  String update() {
    RolloutRow row = bench.state().value(Rows.ROLLOUT.key(WEB));
    return row == null ? "" : row.getState();
  }

  /** The slot's youngest task that was not ordered away for good. */
  TaskIntentRow current(String slot) {
    return records().reversed().stream()
        .map(TaskRecord::intent)
        .filter(intent -> TaskRecord.slotOf(intent).equals(slot) && intent.getDesired() != TaskState.TASK_REMOVE)
        .findFirst()
        .orElseThrow();
  }

  TaskIntentRow current(long slot) {
    return current(Long.toString(slot));
  }

  private List<TaskRecord> records() {
    List<TaskRecord> records = new ArrayList<>();
    for (Row<TaskIntentRow> row : bench.state().rows(Rows.INTENT)) {
      records.add(TaskRecord.find(bench.state(), row.key().lastPart()));
    }
    records.sort(Comparator.comparing(TaskRecord::slot, Slot.ORDER).thenComparingLong(record -> record.intentRow().createRevision()));
    return records;
  }

  private static String line(TaskRecord record) {
    return (record.slot() + " " + plain(record.desired()) + " " + plain(record.observed()) + " " + record.nodeId()).strip();
  }

  private static String plain(TaskState state) {
    return state.name().substring("TASK_".length()).toLowerCase(Locale.ROOT);
  }
}
