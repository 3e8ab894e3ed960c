package dev.skep.skepd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Hosts and their parts fall silent and come back. Afterwards everything is as if nothing had been. */
class NodeDeathTest extends ThreeNodes {
  private static final int PORT = 8400;

  @BeforeEach
  void aServiceOnAllHosts() {
    lab.docker("network", "create", "-d", "overlay", "back").succeeds();
    create("--name", "web", "--replicas", "3", "--network", "back", "--publish", PORT + ":80", IMAGE, "greeter");
    sleepers("client", "--mode", "global", "--network", "back");
    lab.runsOn("web", "node1", "node2", "node3");
    lab.runsOn("client", "node1", "node2", "node3");
  }

  private void allIsWell() {
    Invariants.hold(lab);
    Invariants.namesAreTrue(lab, "client", "web", "web");
    if (!Lab.NATIVE) {
      Invariants.meshIsTrue(lab, "web", PORT);
    }
  }

  private void goesToTheOthers() {
    Machine.eventually("three tasks on two hosts", () -> lab.hostsOf("web"), hosts -> hosts.size() == 3 && !hosts.contains("node3"));
    assertThat(lab.state(3)).startsWith("Down");
  }

  private void comesBack() {
    lab.isIn(3, "Ready Active");
    lab.runsOn("client", "node1", "node2", "node3");
    allIsWell();
  }

  /** How long a disturbance lasts. */
  static void lasts(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      java.util.concurrent.locks.LockSupport.parkNanos(end - System.nanoTime());
    }
  }

  @Test
  void aCutHost() {
    String before = lab.containers(3, "client").getFirst();
    lab.does("cut", 3);
    goesToTheOthers();
    assertThat(lab.containers(3, "client")).as("a host without a manager lets its tasks run").containsExactly(before);
    assertThat(lab.containers(3, "web")).hasSize(1);
    lab.does("heal", 3);
    comesBack();
  }

  @Test
  void aHostWithoutPower() {
    lab.does("kill", 3);
    goesToTheOthers();
    lab.does("start", 3);
    comesBack();
  }

  @Test
  void aHostThatBootsAgainInOrder() {
    lab.does("stop", 3);
    lab.does("start", 3);
    comesBack();
  }

  @Test
  void bothWorkersGoOneAfterTheOtherAndComeBackAtOnce() {
    lab.does("kill", 3);
    lab.isIn(3, "Down Active");
    lab.does("kill", 2);
    lab.runsOn("web", "node1", "node1", "node1");
    lab.nodes().parallelStream().filter(node -> node > 1).forEach(node -> lab.does("start", node));
    lab.isIn(2, "Ready Active");
    comesBack();
  }

  @Test
  void aKilledEngine() {
    lab.skepLab("engine", "kill", "3").succeeds();
    lab.skepLab("engine", "start", "3").succeeds();
    comesBack();
  }

  @Test
  void killedDaemonsMoveNothing() {
    org.junit.jupiter.api.Assumptions.assumeFalse(Lab.NATIVE);
    List<String> before = lab.allContainers();
    lab.sh(2, "kill -9 $(cat /run/skep/skepd.pid)").succeeds();
    lab.sh(3, "kill -9 $(cat /run/skep/edge.pid)").succeeds();
    allIsWell();
    assertThat(lab.allContainers()).isEqualTo(before);
  }

  @Test
  void aSilenceOfTwoSecondsMovesNothing() {
    org.junit.jupiter.api.Assumptions.assumeFalse(Lab.NATIVE);
    List<String> before = lab.allContainers();
    for (int node : List.of(3, 1)) {
      lab.does("freeze", node);
      lasts(Duration.ofSeconds(2));
      lab.does("thaw", node);
      allIsWell();
    }
    lab.does("cut", 2);
    lasts(Duration.ofSeconds(2));
    lab.does("heal", 2);
    allIsWell();
    assertThat(lab.allContainers()).as("no task moved").isEqualTo(before);
  }

  @Test
  void theManagerRestartsAndIsAway() {
    org.junit.jupiter.api.Assumptions.assumeFalse(Lab.NATIVE);
    List<String> before = lab.allContainers();
    away(5, Duration.ofSeconds(8));
    assertThat(lab.allContainers()).as("no task moved").isEqualTo(before);
  }

  /** No manager: a host boots, a task dies. What runs answers everywhere, and what happened is told when one is back. */
  @Test
  void hostsLiveOnWithoutAnyManager() {
    org.junit.jupiter.api.Assumptions.assumeFalse(Lab.NATIVE);
    lab.sh(1, "skep down").succeeds();
    lab.does("kill", 3);
    lab.does("start", 3);
    Machine.eventually("node3 runs what it ran", () -> lab.containers(3, "web").size() + lab.containers(3, "client").size(), count -> count == 2);
    String victim = lab.containers(2, "web").getFirst();
    lab.engine(2, "kill", victim).succeeds();
    Machine.eventually("its task is not started by anybody", () -> lab.containers(2, "web"), List::isEmpty);
    Invariants.meshIsTrue(lab, "web", PORT); // names keep the dead task's address until a manager takes it away
    String onNode3 = lab.containers(3, "web").getFirst();
    lab.does("start", 1);
    showsUp("web", "task: non-zero exit (137)");
    lab.runsOn("web", "node1", "node2", "node3");
    allIsWell();
    assertThat(lab.containers(3, "web")).as("what ran goes on").containsExactly(onNode3);
  }

  @Test
  @Tag("long")
  void theManagerRestartsTenTimesAndIsAwayForAMinute() {
    List<String> before = lab.allContainers();
    away(10, Duration.ofSeconds(60));
    assertThat(lab.allContainers()).as("no task moved").isEqualTo(before);
  }

  private void away(int restarts, Duration silence) {
    for (int i = 0; i < restarts; i++) {
      lab.sh(1, "kill -9 $(cat /run/skep/skepd.pid)").succeeds();
      Machine.eventually("the manager is back", () -> lab.docker("node", "ls"), result -> result.exit() == 0);
    }
    lab.sh(1, "skep down").succeeds();
    Invariants.meshIsTrue(lab, "web", PORT);
    lasts(silence);
    Invariants.meshIsTrue(lab, "web", PORT);
    lab.does("start", 1);
    allIsWell();
  }

  @Test
  @Tag("long")
  void aWorkerFrozenForHalfAMinute() {
    lab.does("freeze", 3);
    lasts(Duration.ofSeconds(30));
    goesToTheOthers();
    lab.does("thaw", 3);
    comesBack();
  }
}
