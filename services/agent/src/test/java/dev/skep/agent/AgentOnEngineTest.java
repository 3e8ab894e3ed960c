package dev.skep.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dispatcher.v1.LogOptions;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tasks on a real engine. */
@Tag("engine")
@Tag("slow")
class AgentOnEngineTest {
  private static PrivateEngine engine;
  private Scene scene;
  private FakeDispatcher cluster;

  @BeforeAll
  static void startEngine() throws Exception {
    engine = PrivateEngine.start();
  }

  @AfterAll
  static void stopEngine() throws Exception {
    engine.close();
  }

  @BeforeEach
  void begin() throws Exception {
    scene = new Scene(engine).begin();
    cluster = scene.cluster;
  }

  @AfterEach
  void end() throws Exception {
    scene.close();
    assertThat(engine.cli("ps", "-aq", "--filter", "label=skep.cluster")).isEmpty();
  }

  @Test
  void aTaskGoesThroughAllItsStates() throws Exception {
    cluster.assign(Scene.task("t1", "exec sleep 1000", "").toBuilder().setDesired(TaskState.TASK_READY).build());
    cluster.awaitState("t1", TaskState.TASK_READY);
    cluster.desire("t1", TaskState.TASK_RUNNING);
    scene.running("t1");
    TaskStatusRow status = cluster.statuses.get("t1");
    assertThat(status.getMessage()).isEqualTo("started");
    assertThat(status.getContainer().getPid()).isPositive();
    assertThat(engine.cli("inspect", "-f", "{{.Id}} {{index .Config.Labels \"com.docker.swarm.service.name\"}}", "web.1.t1"))
        .isEqualTo(status.getContainer().getContainerId() + " web");
    cluster.desire("t1", TaskState.TASK_SHUTDOWN);
    cluster.awaitState("t1", TaskState.TASK_SHUTDOWN);
    assertThat(engine.cli("inspect", "-f", "{{.State.Status}}", "web.1.t1")).as("kept for its logs").isEqualTo("exited");
    cluster.tasks.clear();
    cluster.assign();
    cluster.awaitAsking("container gone", () -> gone("web.1.t1"));
  }

  private static boolean gone(String container) throws Exception {
    return engine.cli("ps", "-aq", "--filter", "name=" + container).isEmpty();
  }

  @Test
  void whatEndsIsReportedWithItsReason() throws Exception {
    cluster.assign(Scene.task("ok", "true", ""));
    cluster.assign(Scene.task("bad", "exit 3", ""));
    cluster.assign(Scene.task("killed", "exec sleep 1000", ""));
    cluster.assign(Scene.task("noimage", "true", "").toBuilder().setSpec(
        Scene.task("x", "true", "").getSpec().toBuilder().setContainerSpec(
            Scene.task("x", "true", "").getSpec().getContainerSpec().toBuilder().setImage("nosuchimage:1"))).build());
    cluster.assign(Scene.task("nocommand", "true", "").toBuilder().setSpec(
        Scene.task("x", "true", "").getSpec().toBuilder().setContainerSpec(
            Scene.task("x", "true", "").getSpec().getContainerSpec().toBuilder().clearCommand().addCommand("/nothing"))).build());
    cluster.awaitState("ok", TaskState.TASK_COMPLETE);
    cluster.awaitState("bad", TaskState.TASK_FAILED);
    assertThat(cluster.statuses.get("bad").getErr()).isEqualTo("task: non-zero exit (3)");
    cluster.awaitState("noimage", TaskState.TASK_REJECTED);
    assertThat(cluster.statuses.get("noimage").getErr()).isEqualTo("No such image: nosuchimage:1");
    cluster.awaitState("nocommand", TaskState.TASK_FAILED);
    assertThat(cluster.statuses.get("nocommand").getErr()).startsWith("starting container failed: ").contains("/nothing");
    assertThat(cluster.statuses.get("nocommand").getMessage()).isEqualTo("starting");
    scene.running("killed");
    engine.cli("rm", "-f", "web.1.killed");
    cluster.awaitState("killed", TaskState.TASK_FAILED);
    assertThat(cluster.statuses.get("killed").getErr()).isEqualTo("task: non-zero exit (137)");
    assertThat(cluster.statuses.get("killed").getMessage()).isEqualTo("started");
  }

  @Test
  void aHealthCheckGatesTheTaskAndEndsIt() throws Exception {
    String check = "spec { container_spec { healthcheck { test: \"CMD-SHELL\" test: \"test -f /ok\" interval: 100000000 timeout: 10000000000 retries: 10 } } }";
    cluster.assign(Scene.task("h1", "touch /ok; exec sleep 1000", check));
    scene.running("h1");
    assertThat(cluster.history).contains("h1 STARTING starting");
    scene.exec("h1", "rm /ok");
    cluster.awaitState("h1", TaskState.TASK_FAILED);
    assertThat(cluster.statuses.get("h1").getErr()).isEqualTo("dockerexec: unhealthy container");
  }

  @Test
  void hostPortsAreReportedAsTheyWereGiven() throws Exception {
    cluster.assign(
        Scene.task("p1", Scene.WEB, "host_ports { protocol: \"tcp\" target_port: 80 publish_mode: \"host\" }"));
    scene.running("p1");
    TaskStatusRow status = cluster.statuses.get("p1");
    assertThat(status.getHostPortsList()).hasSize(1);
    assertThat(status.getHostPorts(0).getPublishedPort()).isPositive();
  }

  @Test
  void anAgentThatComesBackAdoptsWhatRunsAndStopsNothing() throws Exception {
    cluster.assign(Scene.task("a1", "exec sleep 1000", ""));
    cluster.assign(Scene.task("a2", "sleep 1000", ""));
    scene.running("a1", "a2");
    String before = engine.cli("inspect", "-f", "{{.State.Pid}}", "web.1.a1");
    scene.restart(
        () -> {
          engine.cli("kill", "web.1.a2"); // while nobody looks
          cluster.statuses.clear();
          cluster.history.clear();
        });
    scene.running("a1");
    cluster.awaitState("a2", TaskState.TASK_FAILED);
    assertThat(cluster.statuses.get("a2").getErr()).isEqualTo("task: non-zero exit (137)");
    assertThat(engine.cli("inspect", "-f", "{{.State.Pid}}", "web.1.a1")).isEqualTo(before);
    assertThat(cluster.history).noneMatch(line -> line.startsWith("a1 ") && !line.equals("a1 RUNNING started"));
  }

  /** What the agent knows is written down a moment later: it was killed before, and the cluster is the first to tell of the task. */
  @Test
  void aTaskThatOnlyTheClusterRemembersIsAdopted(@TempDir Path folder) throws Exception {
    cluster.assign(Scene.task("old", "exec sleep 1000", ""));
    scene.running("old");
    Path known = scene.host.dataFolder("agent").resolve("assignments");
    cluster.awaitAsking("the old one is written down", () -> Files.exists(known) && Files.readString(known, StandardCharsets.ISO_8859_1).contains("old"));
    Path older = Files.copy(known, folder.resolve("older"));
    cluster.assign(Scene.task("new", "exec sleep 1000", ""));
    scene.running("new");
    String before = engine.cli("inspect", "-f", "{{.State.Pid}}", "web.1.new");
    cluster.hesitates = true;
    scene.restart(
        () -> {
          Files.copy(older, known, StandardCopyOption.REPLACE_EXISTING);
          engine.cli("kill", "web.1.old");
        });
    cluster.awaitState("old", TaskState.TASK_FAILED); // the agent has looked at the engine
    cluster.assign(cluster.tasks.get("new").toBuilder().setLastStatus(cluster.statuses.get("new")).build());
    cluster.assign(Scene.task("next", "exec sleep 1000", ""));
    scene.running("next");
    assertThat(cluster.statuses.get("new").getState()).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(engine.cli("inspect", "-f", "{{.State.Pid}}", "web.1.new")).isEqualTo(before);
  }

  /** A list of containers is asked for, and before it comes a container that is not on it is made. */
  @Test
  void aListThatComesLateDoesNotTakeANewContainerForGone(@TempDir Path folder) throws Exception {
    cluster.assign(Scene.task("old", "exec sleep 1000", ""));
    scene.running("old");
    cluster.hesitates = true;
    try (LateLists late = new LateLists(engine.socket(), folder.resolve("late.sock"))) {
      scene.engineSocket = late.socket();
      scene.restart(() -> engine.cli("kill", "web.1.old"));
      cluster.awaitState("old", TaskState.TASK_FAILED); // the agent has seen the engine's first list
      late.hold();
      cluster.assign(Scene.task("new", "exec sleep 1000", "").toBuilder().setDesired(TaskState.TASK_READY).build());
      cluster.awaitState("new", TaskState.TASK_READY);
      late.awaitHeld();
      late.release();
      cluster.assign(Scene.task("next", "exec sleep 1000", ""));
      scene.running("next"); // what was held has come by now
      cluster.desire("new", TaskState.TASK_RUNNING);
      scene.running("new");
    } finally {
      scene.engineSocket = engine.socket();
    }
  }

  @Test
  void containersOfNoTaskGoAndThoseOfOthersStay() throws Exception {
    engine.cli("run", "-d", "--name", "foreign", "--label", "com.docker.swarm.task.id=a1", "busybox:test", "sleep", "1000");
    engine.cli("run", "-d", "--name", "lost", "--label", "skep.cluster=cluster1", "--label", "com.docker.swarm.task.id=zz", "busybox:test", "sleep", "1000");
    engine.cli("run", "-d", "--name", "sibling", "--label", "skep.cluster=cluster1", "--label", "skep.instance=00aa", "busybox:test", "sleep", "1000");
    try {
      scene.restart();
      cluster.awaitAsking("the lost one is gone", () -> gone("lost"));
      assertThat(gone("foreign") || gone("sibling")).isFalse();
    } finally {
      engine.cli("rm", "-f", "foreign", "sibling");
    }
  }

  @Test
  void aDrasticSetIsAskedForAgainAndThenBelieved() throws Exception {
    for (int i = 0; i < 3; i++) {
      cluster.assign(Scene.task("d" + i, "exec sleep 1000", ""));
    }
    scene.running("d0", "d1", "d2");
    int streams = cluster.assignmentStreams;
    var all = List.copyOf(cluster.tasks.values());
    synchronized (cluster) {
      cluster.tasks.clear();
      cluster.assign();
      all.forEach(task -> cluster.tasks.put(task.getId(), task)); // a lagging manager; the fresh stream knows better
    }
    cluster.await("a second look", () -> cluster.assignmentStreams > streams);
    assertThat(engine.cli("ps", "-q", "--filter", "label=skep.cluster").lines().count()).isEqualTo(3);
    cluster.tasks.clear();
    cluster.assign();
    cluster.awaitAsking("gone", () -> gone("web.1.d"));
  }

  @Test
  void anEngineThatRestartsGetsItsContainersBack() throws Exception {
    cluster.networks.put("net1", Scene.network(1));
    cluster.assign(Scene.web("e1", "10.0.1.11"));
    cluster.assign(Scene.web("e2", "10.0.1.12"));
    scene.running("e1", "e2");
    String before = engine.cli("inspect", "-f", "{{.Id}}", "web.1.e1");
    for (boolean hard : new boolean[] {false, true}) {
      cluster.history.clear();
      long pid = cluster.statuses.get("e1").getContainer().getPid();
      engine.stopDaemon(hard);
      engine.startDaemon();
      cluster.await("both run again, hard=" + hard, () -> cluster.history.contains("e1 RUNNING started") && cluster.history.contains("e2 RUNNING started"));
      assertThat(cluster.statuses.get("e1").getContainer().getPid()).isNotEqualTo(pid);
      assertThat(cluster.history).noneMatch(line -> line.contains("FAILED"));
      assertThat(engine.cli("inspect", "-f", "{{.Id}}", "web.1.e1")).isEqualTo(before);
      assertThat(scene.exec("e1", "timeout 5 wget -q -O - http://10.0.1.12/")).isEqualTo("e2");
    }
  }

  @Test
  void logsAreSentLineByLine() throws Exception {
    cluster.assign(Scene.task("l1", "echo one; echo two >&2; echo three; exec sleep 1000", ""));
    scene.running("l1");
    cluster.awaitAsking("its words", () -> engine.cli("logs", "web.1.l1").contains("three"));
    cluster.subscribe(
        LogSubscription.newBuilder()
            .setId("sub1")
            .addTaskIds("l1")
            .addTaskIds("elsewhere")
            .setOptions(LogOptions.newBuilder().setStdout(true).setStderr(true).setTail(-1))
            .build());
    cluster.await("the end", () -> cluster.logs.stream().anyMatch(batch -> batch.getEnd()));
    assertThat(cluster.logs.stream().flatMap(batch -> batch.getLinesList().stream()))
        .extracting(line -> (line.getStderr() ? "err " : "out ") + line.getData().toStringUtf8())
        .containsExactlyInAnyOrder("out one\n", "err two\n", "out three\n");
    assertThat(cluster.logs.stream().flatMap(batch -> batch.getProblemsList().stream())).extracting(p -> p.getTaskId()).containsExactly("elsewhere");
  }

  @Test
  void theNodeSaysWhatItIs() throws Exception {
    cluster.await("routes", () -> cluster.report.getRoutesList().contains("192.168.77.0/24"));
    assertThat(cluster.report.getRoutesList()).contains("172.31.255.0/24").noneMatch(route -> route.startsWith("10.0."));
    assertThat(cluster.report.getDescription().getPlatform().getArchitecture()).isEqualTo("x86_64");
    assertThat(cluster.report.getDescription().getResources().getNanoCpus()).isPositive();
    assertThat(cluster.report.getDescription().getEngine().getPluginsList()).extracting(p -> p.getType() + "/" + p.getName())
        .contains("Network/bridge", "Network/overlay", "Volume/local", "Log/json-file");
    assertThat(cluster.report.getAdvertiseAddr()).isEqualTo("192.168.77.1");
  }
}
