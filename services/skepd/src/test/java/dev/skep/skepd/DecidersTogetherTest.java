package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.allocator.core.AllocatorDecider;
import dev.skep.api.v1.EndpointSpec;
import dev.skep.api.v1.NodeSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.orchestrator.core.OrchestratorDecider;
import dev.skep.scheduler.core.SchedulerDecider;
import dev.skep.state.Row;
import dev.skep.state.RowKind;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.NetworkPoolRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceEndpointRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.gen.Bench;
import dev.skep.testkit.gen.Specs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The life of one service in a cluster of two nodes, as orchestrator, allocator and scheduler write it together. The
 * test plays users, nodes and dispatcher; after each of their moves the three settle. A task is shown as
 * {@code slot desired observed node addresses}.
 */
final class DecidersTogetherTest {
  private static final String WEB = "web";
  private static final EndpointSpec PUBLISHED = Specs.publishing(80, 0);

  private final Bench bench = new Bench(new OrchestratorDecider(), new AllocatorDecider(), new SchedulerDecider());

  @Test
  void fromTheFirstNodeToTheLastRow() {
    init();
    TreeSet<String> atFirst = keys();
    create();
    runs();
    scalesUp();
    failsAndIsRestarted();
    leavesADrainedNode();
    isUpdated();
    scalesDown();
    isRemoved();
    assertThat(keys()).as("nothing of it is left").isEqualTo(atFirst);
  }

  private void init() {
    Specs.cluster(bench.cluster());
    Specs.node(bench.cluster(), "n1");
    Specs.node(bench.cluster(), "n2");
    Specs.network(bench.cluster(), Specs.INGRESS, "ingress");
    bench.settle();
    assertThat(values(Rows.POOL)).containsExactly("ingress0000000000000000xx 10.0.0.0/16 4096");
    assertThat(gateways()).containsExactly("n1 ingress0000000000000000xx 10.0.0.1", "n2 ingress0000000000000000xx 10.0.0.2");
    assertThat(tasks()).isEmpty();
  }

  private void create() {
    Specs.network(bench.cluster(), "front", "front");
    service(2, "image:1");
    assertThat(values(Rows.POOL)).contains("front 10.1.0.0/24 4097");
    assertThat(values(Rows.ENDPOINT)).containsExactly("10.1.0.2/24 10.0.0.3/16 30000");
    assertThat(tasks())
        .containsExactly("1 running assigned n1 10.1.0.3/24 10.0.0.4/16", "2 running assigned n2 10.1.0.4/24 10.0.0.5/16");
    assertThat(gateways()).contains("n1 front 10.1.0.1", "n2 front 10.1.0.5");
    for (TaskRecord task : records()) {
      long addressed = task.addressRow().createRevision();
      assertThat(addressed).as("first wanted, then addressed, then placed")
          .isBetween(task.intentRow().createRevision(), task.placementRow().createRevision());
    }
  }

  private void runs() {
    nodesObey();
    assertThat(tasks())
        .containsExactly("1 running running n1 10.1.0.3/24 10.0.0.4/16", "2 running running n2 10.1.0.4/24 10.0.0.5/16");
    assertThat(bench.settle()).as("all is as it should be").isZero();
    assertThat(bench.wakeAt()).isEmpty();
  }

  private void scalesUp() {
    service(3, "image:1");
    nodesObey();
    assertThat(tasks())
        .containsExactly(
            "1 running running n1 10.1.0.3/24 10.0.0.4/16", "2 running running n2 10.1.0.4/24 10.0.0.5/16",
            "3 running running n1 10.1.0.6/24 10.0.0.6/16");
  }

  private void failsAndIsRestarted() {
    Specs.status(bench.cluster(), current(3).getId(), TaskState.TASK_FAILED, bench.now());
    bench.settle();
    assertThat(tasks())
        .as("its replacement is addressed and placed while it waits")
        .contains("3 shutdown failed n1 10.1.0.6/24 10.0.0.6/16", "3 ready assigned n1 10.1.0.7/24 10.0.0.7/16");
    nodesObey();
    assertThat(tasks()).contains("3 ready assigned n1 10.1.0.7/24 10.0.0.7/16");
    bench.pass(Duration.ofSeconds(5));
    nodesObey();
    assertThat(tasks()).contains("3 running running n1 10.1.0.7/24 10.0.0.7/16");
  }

  private void leavesADrainedNode() {
    availability("n2", "drain");
    assertThat(tasks()).contains("2 shutdown running n2 10.1.0.4/24 10.0.0.5/16", "2 ready assigned n1 10.1.0.8/24 10.0.0.8/16");
    nodesObey();
    assertThat(tasks()).contains("2 shutdown shutdown n2 10.1.0.4/24 10.0.0.5/16", "2 running running n1 10.1.0.8/24 10.0.0.8/16");
    assertThat(gateways()).as("history stands on it").contains("n2 front 10.1.0.5");
    availability("n2", "active");
    assertThat(live()).containsExactly("1 running n1", "2 running n1", "3 running n1");
  }

  private void isUpdated() {
    service(3, "image:2");
    assertThat(live()).as("one at a time, and where the fewest are").containsExactly("1 assigned n2", "2 running n1", "3 running n1");
    for (int i = 0; i < 3; i++) {
      nodesObey();
    }
    bench.pass(Duration.ofSeconds(5)).settle();
    assertThat(values(Rows.ROLLOUT)).containsExactly("completed");
    assertThat(live()).hasSize(3).allMatch(line -> line.contains(" running "));
    assertThat(values(Rows.ENDPOINT)).as("clients notice nothing").containsExactly("10.1.0.2/24 10.0.0.3/16 30000");
    assertThat(heldAddresses()).doesNotHaveDuplicates().hasSize(6);
  }

  private void scalesDown() {
    service(1, "image:2");
    assertThat(live()).hasSize(1);
    nodesObey();
    assertThat(tasks()).allMatch(line -> line.startsWith("1 "));
  }

  private void isRemoved() {
    String last = current(1).getId();
    Specs.removeService(bench.cluster(), WEB);
    bench.cluster().delete(Rows.template(WEB, 1)).delete(Rows.template(WEB, 2));
    bench.settle();
    assertThat(values(Rows.ENDPOINT)).isEmpty();
    assertThat(tasks()).singleElement().asString().startsWith("1 remove running ");
    String node = bench.state().value(Rows.PLACEMENT.key(last)).getNodeId();
    assertThat(gateways()).as("its container still has an address of this network").anyMatch(line -> line.startsWith(node + " front"));

    bridges(node, "front", Specs.INGRESS);
    bench.cluster().delete(Rows.NETWORK.key("front"));
    nodesObey();
    assertThat(tasks()).isEmpty();
    assertThat(bench.state().rows(Rows.ADDRESS)).isEmpty();
    assertThat(bench.state().rows(Rows.PLACEMENT)).isEmpty();
    assertThat(values(Rows.POOL)).as("the bridge still stands").contains("front 10.1.0.0/24 4097");

    bridges(node, Specs.INGRESS);
    assertThat(values(Rows.POOL)).containsExactly("ingress0000000000000000xx 10.0.0.0/16 4096");
    assertThat(gateways()).containsExactly("n1 ingress0000000000000000xx 10.0.0.1", "n2 ingress0000000000000000xx 10.0.0.2");
  }

  // ---- users, nodes, dispatcher ----

  private void service(long replicas, String image) {
    TaskSpec task = Specs.task(image, "front");
    Specs.service(bench.cluster(), WEB, Specs.replicated(replicas), task, PUBLISHED);
    bench.settle();
  }

  private void availability(String node, String availability) {
    Specs.node(bench.cluster(), node, NodeSpec.newBuilder().setAvailability(availability).build());
    bench.settle();
  }

  private void bridges(String node, String... networks) {
    NodeStatusRow row = bench.state().value(Rows.NODE_STATUS.key(node));
    bench.cluster().put(Rows.NODE_STATUS.key(node), row.toBuilder().clearNetworkIds().addAllNetworkIds(List.of(networks)).build());
    bench.settle();
  }

  /** What is to stop stops, then what may run runs, then statuses without a task are forgotten. */
  private void nodesObey() {
    for (TaskRecord task : records()) {
      if (task.desired().getNumber() >= TaskState.TASK_SHUTDOWN_VALUE && !task.nodeId().isEmpty() && !task.confirmedStopped()) {
        Specs.status(bench.cluster(), task.id(), TaskState.TASK_SHUTDOWN, bench.now());
      }
    }
    bench.settle();
    for (TaskRecord task : records()) {
      if (task.desired() == TaskState.TASK_RUNNING && !task.nodeId().isEmpty() && task.observed().getNumber() < TaskState.TASK_RUNNING_VALUE) {
        Specs.status(bench.cluster(), task.id(), TaskState.TASK_RUNNING, bench.now());
      }
    }
    for (Row<TaskStatusRow> status : bench.state().rows(Rows.STATUS)) {
      if (!bench.state().has(Rows.INTENT.key(status.key().lastPart()))) {
        bench.cluster().delete(status.key());
      }
    }
    bench.settle();
  }

  // ---- what is written ----

  private List<TaskRecord> records() {
    List<TaskRecord> records = new ArrayList<>();
    TaskRecord.forEach(bench.state(), records::add);
    records.sort(
        Comparator.comparingLong((TaskRecord task) -> task.intent().getSlot()).thenComparingLong(task -> task.intentRow().createRevision()));
    return records;
  }

  private TaskIntentRow current(long slot) {
    return records().reversed().stream().map(TaskRecord::intent).filter(intent -> intent.getSlot() == slot).findFirst().orElseThrow();
  }

  private List<String> tasks() {
    return records().stream()
        .map(task -> task.slot() + " " + plain(task.desired()) + " " + plain(task.observed()) + " " + task.nodeId() + " " + addresses(task))
        .toList();
  }

  private List<String> live() {
    return records().stream()
        .filter(task -> task.desired().getNumber() <= TaskState.TASK_RUNNING_VALUE)
        .map(task -> task.slot() + " " + plain(task.observed()) + " " + task.nodeId())
        .toList();
  }

  private List<String> heldAddresses() {
    return records().stream().filter(TaskRecord::holdsAddresses).flatMap(task -> List.of(addresses(task).split(" ")).stream()).toList();
  }

  private static String addresses(TaskRecord task) {
    return task.addressRow().value().getAddressesList().stream().map(TaskAddress::getAddress).collect(Collectors.joining(" "));
  }

  private List<String> gateways() {
    List<String> lines = new ArrayList<>();
    bench.state().rows(Rows.GATEWAY).forEach(row ->
        lines.add(row.value().getNodeId() + " " + row.value().getNetworkId() + " " + row.value().getAddress()));
    return lines;
  }

  private List<String> values(RowKind<?> kind) {
    List<String> lines = new ArrayList<>();
    for (Row<?> row : bench.state().rows(kind)) {
      lines.add(switch (row.value()) {
        case NetworkPoolRow pool -> pool.getNetworkId() + " " + pool.getSubnet() + " " + pool.getVni();
        case RolloutRow rollout -> rollout.getState();
        case ServiceEndpointRow endpoint ->
            endpoint.getVirtualIpsList().stream().map(vip -> vip.getAddr()).collect(Collectors.joining(" "))
                + " " + endpoint.getPorts(0).getPublishedPort();
        default -> throw new AssertionError(kind);
      });
    }
    return lines;
  }

  private TreeSet<String> keys() {
    TreeSet<String> keys = new TreeSet<>();
    Rows.all().forEach(kind -> bench.state().rows(kind).forEach(row -> keys.add(row.key().path())));
    return keys;
  }

  private static String plain(TaskState state) {
    return state.name().substring("TASK_".length()).toLowerCase(Locale.ROOT);
  }
}
