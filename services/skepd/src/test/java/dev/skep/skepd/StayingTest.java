package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dispatcher.core.NodeLife;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.TaskState;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tasks stay where they are, whatever befalls the manager that their node is connected to, or the process of their host. */
@Tag("long")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class StayingTest {
  @TempDir Path folder;
  private Nodes nodes;
  private Nodes.Node first;

  @BeforeEach
  void found() throws Exception {
    nodes = new Nodes(folder);
    first = nodes.firstManager();
  }

  @AfterEach
  void close() {
    nodes.close();
  }

  /** A cut between subnets: nodes reach every manager, and one manager does not reach the store. */
  @Test
  void aManagerThatLosesTheStoreLosesNoTask() throws Exception {
    Nodes.Node second = ManagersTest.another(nodes, first);
    Nodes.Node worker = worker();
    assertThat(first.post("/services/create", ManagersTest.SERVICE.formatted("stays", 9))).startsWith("201");
    ClusterState before = first.host.await("all tasks run", state -> ManagersTest.running(state) == 9);
    Nodes.Node cut = Nodes.door(first).equals(ManagersTest.session(before, worker.id()).getDispatcher()) ? first : second;
    Nodes.Node other = cut == first ? second : first;
    try (Deaths deaths = new Deaths(other)) {
      cut.client.cut();
      for (String node : List.of(worker.id(), cut.id())) {
        other.host.await("the session of " + node + " is with the manager that has the store",
            state -> ManagersTest.session(state, node).getDispatcher().equals(Nodes.door(other)));
      }
      assertThat(other.post("/services/create", ManagersTest.SERVICE.formatted("later", 9))).startsWith("201");
      ClusterState now = other.host.await("nodes of the manager without a store take new tasks", state -> ManagersTest.running(state) == 18);
      assertThat(places(now)).containsAllEntriesOf(places(before));
      cut.client.heal();
      cut.host.await("it has caught up", state -> ManagersTest.running(state) == 18);
      assertThat(cut.post("/services/create", ManagersTest.SERVICE.formatted("again", 3))).startsWith("201");
      other.host.await("and serves again", state -> ManagersTest.running(state) == 21);
      assertThat(deaths.seen()).isEmpty();
    }
  }

  @Test
  void withoutAnyStoreEveryNodeKeepsItsSession() throws Exception {
    List<Nodes.Node> managers = List.of(first, ManagersTest.another(nodes, first));
    Nodes.Node worker = worker();
    assertThat(first.post("/services/create", ManagersTest.SERVICE.formatted("stays", 9))).startsWith("201");
    ClusterState before = first.host.await("all tasks run", state -> ManagersTest.running(state) == 9);
    try (Deaths deaths = new Deaths(first)) {
      managers.forEach(manager -> manager.client.cut());
      // As often as it takes agents to ask several times whether somebody has it.
      for (Nodes.Node manager : managers) {
        Nodes.until("the store is missed for long", () -> manager.client.leasesRefused() > 12);
      }
      managers.forEach(manager -> manager.client.heal());
      ClusterState now = first.host.await("both dispatchers are back", state -> dispatchers(state) == 2);
      assertThat(first.post("/services/create", ManagersTest.SERVICE.formatted("later", 9))).startsWith("201");
      now = first.host.await("all goes on", state -> ManagersTest.running(state) == 18);
      assertThat(places(now)).containsAllEntriesOf(places(before));
      for (Nodes.Node node : List.of(first, managers.getLast(), worker)) {
        assertThat(ManagersTest.session(now, node.id()).getSessionId()).as("session of " + node.id()).isEqualTo(ManagersTest.session(before, node.id()).getSessionId());
      }
      assertThat(deaths.seen()).isEmpty();
    }
  }

  @Test
  void aRestartForAnotherRoleMovesNoTaskHoweverLongItTakes() throws Exception {
    Nodes.Node node = worker();
    Nodes.Node control = worker();
    assertThat(first.post("/services/create", ManagersTest.SERVICE.formatted("stays", 9))).startsWith("201");
    ClusterState before = first.host.await("all tasks run", state -> ManagersTest.running(state) == 9);
    Map<String, String> own = new TreeMap<>(places(before));
    own.values().removeIf(place -> !place.equals(node.id()));
    assertThat(own).isNotEmpty();
    try (Deaths deaths = new Deaths(first)) {
      node.hold();
      assertThat(ManagersTest.role(first, node.id(), "manager")).isEqualTo("200 ");
      Nodes.awaitState(first, node.id(), "unknown");
      control.stop();
      ClusterState later = Nodes.awaitState(first, control.id(), "down"); // it was silent for less long
      assertThat(NodeLife.of(later, node.id())).isEqualTo(NodeLife.UNKNOWN);
      assertThat(places(later)).containsAllEntriesOf(own);
      node.release();
      node.awaitStarts(2);
      Nodes.awaitState(first, node.id(), "ready");

      node.hold();
      assertThat(ManagersTest.role(first, node.id(), "worker")).isEqualTo("200 ");
      Nodes.awaitState(first, node.id(), "unknown");
      node.release();
      node.awaitStarts(3);
      Nodes.awaitState(first, node.id(), "ready");
      assertThat(deaths.seen()).containsOnly(control.id());
    }
  }

  private Nodes.Node worker() throws Exception {
    Nodes.Node worker = nodes.host();
    assertThat(Nodes.joinListening(worker, Nodes.listen(), Nodes.token(first, NodeRole.WORKER), Nodes.door(first))).isEqualTo("200 ");
    Nodes.awaitState(first, worker.id(), "ready");
    int managers = dispatchers(first.host.view().state());
    worker.host.await("the worker knows all managers", _ -> worker.host.membership().current().orElseThrow().managers().size() >= managers);
    return worker;
  }

  private static int dispatchers(ClusterState state) {
    int[] count = {0};
    state.rows(Rows.PEER).forEach(_ -> count[0]++);
    return count[0];
  }

  /** Where each task runs. */
  private static Map<String, String> places(ClusterState state) {
    Map<String, String> places = new TreeMap<>();
    TaskRecord.forEach(state, task -> {
      if (task.observed() == TaskState.TASK_RUNNING && task.desired() == TaskState.TASK_RUNNING) {
        places.put(task.id(), task.nodeId());
      }
    });
    return places;
  }

  /** Which nodes were taken for down, as one manager hears of it. */
  private static final class Deaths implements AutoCloseable {
    private final Set<String> seen = ConcurrentHashMap.newKeySet();
    private final AutoCloseable listening;

    private Deaths(Nodes.Node at) {
      listening = at.host.view().listen((state, _, _) -> state.rows(Rows.NODE_STATUS).forEach(row -> {
        if (NodeLife.of(row.value()) == NodeLife.DOWN) {
          seen.add(row.key().lastPart());
        }
      }));
    }

    Set<String> seen() {
      return seen;
    }

    @Override
    public void close() {
      try {
        listening.close();
      } catch (Exception e) {
        throw new AssertionError("a listener that cannot be removed", e);
      }
    }
  }
}
