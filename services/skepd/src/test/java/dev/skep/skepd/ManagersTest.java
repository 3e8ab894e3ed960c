package dev.skep.skepd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogOptions;
import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.dispatcher.v1.LogsGrpc;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.grpc.ManagerKeys;
import dev.skep.runtime.identity.ClusterKey;
import dev.skep.runtime.identity.NodeCertificate;
import dev.skep.runtime.identity.NodeRole;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.identity.Trust;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.TaskRecord;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.SessionRow;
import dev.skep.state.v1.TaskState;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several managers on one store: how hosts become managers and stop being some, and that any of them serves. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
@Tag("slow")
class ManagersTest {
  private static final Pattern INDEX = Pattern.compile("\"Index\":(\\d+)");
  static final String SERVICE = "{\"Name\":\"%s\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"busybox\"}},\"Mode\":{\"Replicated\":{\"Replicas\":%d}}}";

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

  /** Another manager: a host on an embedded store of its own joins, and starts again on the cluster's. */
  private Nodes.Node secondManager() throws Exception {
    return another(nodes, first);
  }

  static Nodes.Node another(Nodes nodes, Nodes.Node first) throws Exception {
    Nodes.Node host = nodes.host();
    assertThat(Nodes.joinListening(host, Nodes.listen(), Nodes.token(first, NodeRole.MANAGER), Nodes.door(first))).isEqualTo("200 ");
    host.awaitStarts(2);
    Nodes.awaitState(first, host.id(), "ready");
    return host;
  }

  private static long index(String json) {
    Matcher index = INDEX.matcher(json);
    assertThat(index.find()).as(json).isTrue();
    return Long.parseLong(index.group(1));
  }

  static String role(Nodes.Node at, String node, String role) throws IOException {
    long version = index(at.get("/nodes/" + node));
    return at.post("/nodes/" + node + "/update?version=" + version, "{\"Role\":\"" + role + "\",\"Availability\":\"active\"}");
  }

  private static void awaitRole(Nodes.Node node, boolean manager) {
    node.host.await("the node is a " + (manager ? "manager" : "worker"),
        _ -> node.host.membership().current().filter(identity -> identity.manager() == manager).isPresent());
  }

  @Test
  void aHostJoinsAsAManagerAndServesAsTheFirstDoes() throws Exception {
    Nodes.Node second = secondManager();
    Identity identity = second.host.membership().current().orElseThrow();
    assertThat(identity.manager()).isTrue();
    assertThat(second.host.storeAccess().shared()).isTrue();
    assertThat(ClusterKey.read(second.host.dataFolder("identity")).bytes()).isEqualTo(ClusterKey.read(first.host.dataFolder("identity")).bytes());
    assertThat(second.get("/swarm")).startsWith("200").contains(Nodes.token(first, NodeRole.MANAGER));
    first.host.await("a leader that says where it is", state -> leader(state).equals(first.id()) || leader(state).equals(second.id()));
    for (Nodes.Node manager : List.of(first, second)) {
      String list = manager.get("/nodes");
      assertThat(list).startsWith("200").containsOnlyOnce("\"Leader\":true").contains(Nodes.door(first), Nodes.door(second));
      assertThat(list.split("\"Reachability\":\"reachable\"", -1)).hasSize(3);
      assertThat(manager.get("/info")).contains("\"Managers\":2");
    }
    assertThat(second.post("/swarm/init", "{}")).startsWith("503").contains("already part of a swarm");
    Nodes.Node third = nodes.hostOnSharedStore();
    assertThat(third.post("/swarm/init", "{\"ListenAddr\":\"127.0.0.1:0\",\"AdvertiseAddr\":\"127.0.0.1\"}"))
        .as("a store that others use is not taken from them").startsWith("400").contains("holds a cluster already");
    assertThat(Nodes.joinListening(third, Nodes.listen(), Nodes.token(first, NodeRole.MANAGER), Nodes.door(second))).isEqualTo("200 ");
    assertThat(third.starts()).as("it has the cluster's store").isEqualTo(1);
    Nodes.awaitState(first, third.id(), "ready");
  }

  private static String leader(ClusterState state) {
    LeaderRow row = state.value(Rows.LEADER.key("orchestrator"));
    return row == null ? "" : row.getNodeId();
  }

  @Test
  void aWorkerIsPromotedAndDemoted() throws Exception {
    Nodes.Node node = nodes.host();
    assertThat(Nodes.joinListening(node, Nodes.listen(), Nodes.token(first, NodeRole.WORKER), Nodes.door(first))).isEqualTo("200 ");
    String id = node.id();
    assertThat(role(first, id, "manager")).isEqualTo("200 ");
    node.awaitStarts(2);
    awaitRole(node, true);
    Nodes.awaitState(first, id, "ready");
    assertThat(node.id()).isEqualTo(id);
    assertThat(node.get("/nodes/" + id)).startsWith("200").contains("\"Role\":\"manager\"").contains("\"ManagerStatus\"");
    NodeCertificate kept = node.host.trust().certificate().orElseThrow();
    List<String> roots = List.of(first.host.view().state().value(Rows.cluster()).getTrustRootPem());
    assertThat(kept.name().role()).isEqualTo(NodeRole.MANAGER);
    Trust holding = new Trust(folder.resolve("kept"), Clock.systemUTC());
    holding.install(kept, roots);
    assertThat(ManagerKeys.fetch(List.of(Nodes.door(first)), holding).access().shared()).as("while it is a manager").isTrue();

    assertThat(role(node, id, "worker")).isEqualTo("200 ");
    node.awaitStarts(3);
    awaitRole(node, false);
    Nodes.awaitState(first, id, "ready");
    Path identity = node.host.dataFolder("identity");
    assertThat(ClusterKey.present(identity)).isFalse();
    assertThat(StoreAccess.read(identity)).isEmpty();
    assertThat(node.host.storeAccess().shared()).isFalse();
    assertThat(node.get("/nodes")).startsWith("503").contains("Worker nodes can't be used to view or modify cluster state");
    assertThat(node.host.trust().certificate().orElseThrow().name().role()).isEqualTo(NodeRole.WORKER);
    assertThatThrownBy(() -> ManagerKeys.fetch(List.of(Nodes.door(first)), holding)).as("its old certificate opens nothing any more")
        .isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED));
    assertThat(first.post("/nodes/" + first.id() + "/update?version=" + index(first.get("/nodes/" + first.id())), "{\"Role\":\"worker\"}"))
        .startsWith("400").contains("attempting to demote the last manager of the swarm");
  }

  @Test
  void aManagerLeavesAndTheLastOneOnlyWithForce() throws Exception {
    Nodes.Node second = secondManager();
    String left = second.id();
    assertThat(second.post("/swarm/leave", "")).startsWith("503").contains("participating as a manager. Demote it first");
    assertThat(second.post("/swarm/leave?force=1", "")).isEqualTo("200 ");
    second.awaitStarts(3);
    assertThat(second.host.membership().current()).isEmpty();
    assertThat(second.host.trust().certificate()).isEmpty();
    assertThat(ClusterKey.present(second.host.dataFolder("identity"))).isFalse();
    assertThat(second.host.storeAccess().shared()).isFalse();
    Nodes.awaitState(first, left, "down");
    assertThat(first.get("/nodes/" + left)).contains("\"Reachability\":\"unreachable\"");
    String rm = "/nodes/" + left + "?force=1";
    assertThat(first.delete(rm)).startsWith("400").contains("must be demoted to worker before removal");
    assertThat(role(first, left, "worker")).isEqualTo("200 ");
    assertThat(first.delete(rm)).startsWith("200");
    assertThat(first.post("/swarm/leave", "")).startsWith("503").contains("Removing the last manager erases all current state");
    assertThat(first.get("/nodes")).startsWith("200");
    assertThat(first.post("/swarm/leave?force=1", "")).isEqualTo("200 ");
    first.awaitStarts(2);
    assertThat(first.get("/nodes")).startsWith("503");
  }

  @Test
  void whatOneWritesTheOthersShowAtOnce() throws Exception {
    List<Nodes.Node> managers = List.of(first, secondManager());
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 40; i++) {
      String name = "s" + i;
      String on = "seed " + seed + ", round " + i;
      assertThat(any(managers, random).post("/services/create", SERVICE.formatted(name, 0))).as(on).startsWith("201");
      assertThat(any(managers, random).post("/services/create", SERVICE.formatted(name, 0))).as(on).startsWith("409");
      assertThat(any(managers, random).get("/services")).as(on).contains("\"" + name + "\"");
      long version = index(any(managers, random).get("/services/" + name));
      assertThat(any(managers, random).post("/services/" + name + "/update?version=" + version, SERVICE.formatted(name, 0).replace("\"Mode\"", "\"Labels\":{\"round\":\"" + i + "\"},\"Mode\"")))
          .as(on).startsWith("200");
      assertThat(any(managers, random).get("/services/" + name)).as(on).contains("\"round\":\"" + i + "\"");
      assertThat(any(managers, random).delete("/services/" + name)).as(on).startsWith("200");
      assertThat(any(managers, random).get("/services/" + name)).as(on).startsWith("404");
    }
  }

  private static Nodes.Node any(List<Nodes.Node> managers, Random random) {
    return managers.get(random.nextInt(managers.size()));
  }

  @Test
  void ofThreeManagersOneEndsAndTheClusterGoesOn() throws Exception {
    List<Nodes.Node> managers = new ArrayList<>(List.of(first, secondManager(), secondManager()));
    Nodes.Node worker = nodes.host();
    assertThat(Nodes.join(worker, Nodes.token(first, NodeRole.WORKER), Nodes.door(first))).isEqualTo("200 ");
    Nodes.awaitState(first, worker.id(), "ready");
    worker.host.await("the worker knows all managers", _ -> worker.host.membership().current().orElseThrow().managers().size() == 3);
    for (Nodes.Node manager : managers) {
      assertThat(manager.post("/services/create", SERVICE.formatted("by" + manager.id(), 4))).startsWith("201");
    }
    ClusterState running = first.host.await("all tasks run", state -> running(state) == 12);
    String held = session(running, worker.id()).getDispatcher();
    Nodes.Node gone = managers.stream().filter(manager -> Nodes.door(manager).equals(held)).findFirst().orElseThrow();
    managers.remove(gone);
    String goneId = gone.id();

    gone.kill();
    gone.client.endLeases();
    Nodes.Node other = managers.getFirst();
    other.host.await("the worker is with another manager", state -> !session(state, worker.id()).getDispatcher().equals(held));
    Nodes.awaitState(other, goneId, "down");
    assertThat(other.host.view().state().value(Rows.NODE_STATUS.key(worker.id())).getState()).isEqualTo("ready");
    other.host.await("another leads", state -> !leader(state).isEmpty() && !leader(state).equals(goneId));
    assertThat(managers.getLast().post("/services/create", SERVICE.formatted("later", 3))).startsWith("201");
    other.host.await("tasks of the lost host are replaced, and new ones run", state -> running(state) >= 15 && noneOn(state, goneId));
    assertThat(other.get("/nodes")).containsOnlyOnce("\"Leader\":true").contains("\"Reachability\":\"unreachable\"");
    assertThat(role(other, goneId, "worker")).as("one that is down can be demoted").isEqualTo("200 ");
  }

  static SessionRow session(ClusterState state, String node) {
    SessionRow row = state.value(Rows.SESSION.key(node));
    return row == null ? SessionRow.getDefaultInstance() : row;
  }

  static int running(ClusterState state) {
    int[] running = {0};
    TaskRecord.forEach(state, task -> running[0] += task.observed() == TaskState.TASK_RUNNING && task.desired() == TaskState.TASK_RUNNING ? 1 : 0);
    return running[0];
  }

  private static boolean noneOn(ClusterState state, String node) {
    boolean[] none = {true};
    TaskRecord.forEach(state, task -> none[0] &= !(task.nodeId().equals(node) && task.desired() == TaskState.TASK_RUNNING));
    return none[0];
  }

  @Test
  void logsOfANodeAreReadThroughTheDispatcherThatHoldsItsSession() throws Exception {
    Nodes.Node second = secondManager();
    assertThat(first.post("/services/create", SERVICE.formatted("talks", 4))).startsWith("201");
    ClusterState state = first.host.await("all tasks run", now -> running(now) == 4);
    for (Nodes.Node manager : List.of(first, second)) {
      LogSelector.Builder selector = LogSelector.newBuilder().setOptions(LogOptions.newBuilder().setStdout(true).setTail(-1));
      TaskRecord.forEach(state, task -> selector.addTaskIds(task.id()));
      List<String> problems = new ArrayList<>();
      List<String> lines = new ArrayList<>();
      Iterator<LogBatch> batches = LogsGrpc.newBlockingStub(manager.host.channel("dispatcher")).withDeadlineAfter(30, TimeUnit.SECONDS).read(selector.build());
      batches.forEachRemaining(batch -> {
        batch.getProblemsList().forEach(problem -> problems.add(problem.getReason()));
        batch.getLinesList().forEach(line -> lines.add(line.getNodeId()));
      });
      assertThat(problems).as("of all nodes something was heard").noneMatch(problem -> problem.contains("is not available"));
      assertThat(problems.size() + lines.size()).isPositive();
    }
  }
}
