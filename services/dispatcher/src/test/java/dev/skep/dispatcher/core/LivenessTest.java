package dev.skep.dispatcher.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.api.v1.DispatcherConfig;
import dev.skep.api.v1.SwarmSpec;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.TaskAddress;
import dev.skep.state.v1.TaskAddressRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The judge in virtual time, against nodes that beat, stop, pause and lose their beats on the way. */
class LivenessTest {
  private static final Duration GRACE = Duration.ofSeconds(3);

  @Test
  void aSilentNodeIsSuspectAndThenDownAndComesBack() {
    JudgedCluster cluster = new JudgedCluster(1, 5);
    cluster.run(Duration.ofSeconds(2));
    assertThat(cluster.every()).containsOnly(NodeLife.READY);

    cluster.silence("n3");
    Duration suspect = cluster.runUntil("n3", NodeLife.DISCONNECTED);
    assertThat(suspect).isBetween(Duration.ofMillis(500), Duration.ofMillis(1_000));
    Duration down = cluster.runUntil("n3", NodeLife.DOWN);
    assertThat(suspect.plus(down)).isBetween(Duration.ofMillis(2_750), Duration.ofMillis(3_200));
    assertThat(cluster.message("n3")).startsWith("heartbeat failure");

    cluster.speak("n3");
    assertThat(cluster.runUntil("n3", NodeLife.READY)).isLessThanOrEqualTo(Duration.ofMillis(400));
    assertThat(cluster.message("n3")).isEmpty();
    assertThat(cluster.everythingThatHappened()).containsOnlyKeys("n3");
  }

  @Test
  void aNodeWithoutItsEngineGetsNoNewTasksAndIsDownWhenThatLasts() {
    JudgedCluster cluster = new JudgedCluster(1, 5);
    cluster.run(Duration.ofSeconds(2));
    cluster.engineProblem("n3", "the engine does not answer");
    assertThat(cluster.runUntil("n3", NodeLife.UNKNOWN)).isLessThanOrEqualTo(Duration.ofMillis(400));
    assertThat(cluster.message("n3")).isEqualTo("the engine does not answer");
    cluster.run(Duration.ofSeconds(20));
    cluster.engineProblem("n3", "");
    assertThat(cluster.runUntil("n3", NodeLife.READY)).isLessThanOrEqualTo(Duration.ofMillis(400));

    cluster.engineProblem("n3", "the engine does not answer");
    cluster.run(Duration.ofSeconds(10));
    cluster.pauseJudge(Duration.ofHours(1));
    assertThat(cluster.runUntil("n3", NodeLife.DOWN)).as("what the judge slept does not count").isBetween(Duration.ofSeconds(19), Duration.ofSeconds(21));
    assertThat(cluster.message("n3")).isEqualTo("the engine does not answer");
    cluster.engineProblem("n3", "");
    assertThat(cluster.runUntil("n3", NodeLife.READY)).isLessThanOrEqualTo(Duration.ofMillis(400));
    assertThat(cluster.everythingThatHappened()).containsOnlyKeys("n3");
  }

  @Test
  void aSilenceOfTwoSecondsMovesNoTask() {
    JudgedCluster cluster = new JudgedCluster(2, 5);
    cluster.run(Duration.ofSeconds(1));
    cluster.silence("n0");
    cluster.run(Duration.ofSeconds(2));
    cluster.speak("n0");
    cluster.run(Duration.ofSeconds(5));
    assertThat(cluster.everythingThatHappened().get("n0")).containsExactly(NodeLife.DISCONNECTED, NodeLife.READY);
  }

  @Test
  void aStoppedJudgeAccusesNobody() {
    for (long seed = 0; seed < 50; seed++) {
      JudgedCluster cluster = new JudgedCluster(seed, 4);
      cluster.run(Duration.ofSeconds(1));
      for (int i = 0; i < 10; i++) {
        // The process stands still, the nodes go on; their beats are read only some time after the first tick.
        cluster.pauseJudge(Duration.ofMillis(new Random(seed * 31 + i).nextInt(30_000)));
        cluster.run(Duration.ofMillis(new Random(seed * 17 + i).nextInt(3_000)));
      }
      assertThat(cluster.everythingThatHappened()).as("seed %d", seed).isEmpty();
    }
  }

  @Test
  void aStoppedWorldAccusesNobody() {
    JudgedCluster cluster = new JudgedCluster(3, 3);
    cluster.run(Duration.ofSeconds(1));
    cluster.pauseWorld(Duration.ofHours(8));
    cluster.run(Duration.ofSeconds(10));
    cluster.jumpClock(Duration.ofHours(-3));
    cluster.run(Duration.ofSeconds(10));
    cluster.jumpClock(Duration.ofDays(400));
    cluster.run(Duration.ofSeconds(10));
    assertThat(cluster.everythingThatHappened()).isEmpty();

    // and after all that it still hears a real silence
    cluster.silence("n1");
    assertThat(cluster.runUntil("n1", NodeLife.DOWN)).isLessThan(Duration.ofMillis(3_500));
  }

  @Test
  void aClockThatGoesBackStillLetsAnodeDie() {
    JudgedCluster cluster = new JudgedCluster(4, 3);
    cluster.run(Duration.ofSeconds(1));
    cluster.silence("n1");
    cluster.jumpClock(Duration.ofHours(-1));
    assertThat(cluster.runUntil("n1", NodeLife.DOWN)).isLessThan(Duration.ofMillis(3_500));
  }

  @Test
  void aNodeThatComesBackRightAfterTheClockWentBackIsNotAccused() {
    Liveness judge = Liveness.fresh(start());
    Walk walk = new Walk(1, 1, 1, 1, 1);
    node(walk, "n0");
    for (int i = 1; i <= 30; i++) { // it has not come to this judge yet
      judge = judge.judge(walk.state(), Map.of(), true, start().plusMillis(100 * i)).next();
    }
    Instant back = start().minusSeconds(3_600);
    Liveness.Judgement judgement = judge.judge(walk.state(), Map.of("n0", new Heard(back.minusMillis(50), false)), true, back);
    assertThat(judgement.suspects()).isZero();
    assertThat(judgement.decision().changes()).isEmpty();
  }

  @Test
  void aJudgeOfNobodyTakesItsOwnPauseForNobodysSilence() {
    // Registered long ago, written down only now: between the two this process stood still, or its clock jumped.
    Walk walk = new Walk(1, 1, 1, 1, 1);
    Liveness judge = Liveness.fresh(start()).judge(walk.state(), Map.of(), true, start()).next();
    node(walk, "n0");
    Heard longAgo = new Heard(start(), false);
    Instant now = start().plusMillis(2_900);
    assertThat(judge.judge(walk.state(), Map.of("n0", longAgo), true, now).decision().changes()).isEmpty();
    // and a node that never came waits for time that was listened to
    Liveness idle = judge.judge(ClusterState.empty(), Map.of(), true, start().plusMillis(100)).next();
    for (int i = 1; i <= 3; i++) {
      idle = idle.judge(ClusterState.empty(), Map.of(), true, start().plusMillis(100 + 2_900 * i)).next();
    }
    assertThat(idle.judge(walk.state(), Map.of(), true, start().plusMillis(8_900)).decision().changes()).isEmpty();
  }

  @Test
  void anAgentInTheJudgesOwnProcessIsNeverAccused() {
    JudgedCluster cluster = new JudgedCluster(5, 1);
    cluster.inProcess("n0");
    cluster.run(Duration.ofSeconds(1));
    cluster.silence("n0"); // its beats starve
    cluster.run(Duration.ofSeconds(30));
    assertThat(cluster.everythingThatHappened()).isEmpty();
  }

  @Test
  void aFreshJudgeWaitsForNodesToRegister() {
    JudgedCluster cluster = new JudgedCluster(6, 5);
    cluster.run(Duration.ofSeconds(1));
    cluster.silence("n4");
    cluster.restartJudge(); // forgets everything; n4 never registers with it
    cluster.run(GRACE.multipliedBy(2).minusMillis(200));
    assertThat(cluster.everythingThatHappened()).isEmpty();
    cluster.run(Duration.ofMillis(500));
    assertThat(cluster.everythingThatHappened().get("n4")).containsExactly(NodeLife.DOWN);
    assertThat(cluster.everythingThatHappened()).containsOnlyKeys("n4");
  }

  @Test
  void withoutTheOfficeItLeavesStrangersAlone() {
    JudgedCluster cluster = new JudgedCluster(7, 4);
    cluster.run(Duration.ofSeconds(1));
    cluster.silence("n2");
    cluster.restartJudge();
    cluster.judgesStrangers(false);
    cluster.run(Duration.ofMinutes(1));
    assertThat(cluster.everythingThatHappened()).isEmpty();
  }

  @Test
  void moreThanAthirdAtOnceIsPanic() {
    JudgedCluster cluster = new JudgedCluster(8, 9);
    cluster.run(Duration.ofSeconds(1));
    Set<String> lost = Set.of("n1", "n2", "n3", "n4");
    lost.forEach(cluster::silence);
    cluster.run(Duration.ofMillis(8_500));
    assertThat(lost).allSatisfy(node -> assertThat(cluster.life(node)).isEqualTo(NodeLife.UNKNOWN));
    assertThat(cluster.message("n1")).contains("of 9 nodes fell silent");
    // A judge that hears some of them gives the others up in the end.
    cluster.run(Duration.ofSeconds(2));
    assertThat(lost).allSatisfy(node -> assertThat(cluster.life(node)).isEqualTo(NodeLife.DOWN));
    lost.forEach(cluster::speak);
    cluster.run(Duration.ofSeconds(1));
    assertThat(cluster.every()).containsOnly(NodeLife.READY);
  }

  @Test
  void aThirdIsNoPanic() {
    JudgedCluster cluster = new JudgedCluster(9, 3);
    cluster.run(Duration.ofSeconds(1));
    cluster.silence("n1");
    assertThat(cluster.runUntil("n1", NodeLife.DISCONNECTED)).isLessThan(Duration.ofSeconds(1));
    assertThat(cluster.runUntil("n1", NodeLife.DOWN)).isLessThan(Duration.ofSeconds(3));
    // and a second one, later than a grace, is a death of its own
    cluster.run(Duration.ofSeconds(4));
    cluster.silence("n2");
    assertThat(cluster.runUntil("n2", NodeLife.DOWN)).isLessThan(Duration.ofMillis(3_400));
  }

  @Test
  void aJudgeThatHearsNobodyGivesNobodyUp() {
    JudgedCluster cluster = new JudgedCluster(10, 6);
    cluster.run(Duration.ofSeconds(1));
    cluster.silenceAll();
    cluster.run(Duration.ofMinutes(10));
    assertThat(cluster.every()).containsOnly(NodeLife.UNKNOWN);
    cluster.speakAll();
    cluster.run(Duration.ofSeconds(1));
    assertThat(cluster.every()).containsOnly(NodeLife.READY);
  }

  @Test
  void afterAJudgeHeardNobodyNodesMayComeBackOneAfterTheOther() {
    JudgedCluster cluster = new JudgedCluster(13, 3);
    cluster.run(Duration.ofSeconds(4));
    cluster.silenceAll();
    cluster.run(Duration.ofSeconds(10));
    cluster.speak("n0");
    cluster.run(Duration.ofMillis(600));
    cluster.speak("n1");
    cluster.run(Duration.ofMillis(600));
    assertThat(cluster.life("n2")).isNotEqualTo(NodeLife.DOWN);
    cluster.speak("n2");
    cluster.run(Duration.ofSeconds(1));
    assertThat(cluster.every()).containsOnly(NodeLife.READY);
    assertThat(cluster.everythingThatHappened().values()).noneMatch(lives -> lives.contains(NodeLife.DOWN));
    // One that does not come back is given up all the same.
    cluster.silence("n1");
    assertThat(cluster.runUntil("n1", NodeLife.DOWN)).isLessThan(Duration.ofMillis(3_400));
  }

  @Test
  void aJudgeThatHasLostTheStoreGivesUpNobodyUntilAgraceAfterItHasItBack() {
    JudgedCluster cluster = new JudgedCluster(14, 2); // too few for panic
    cluster.run(Duration.ofSeconds(4));
    cluster.cutOff(true);
    cluster.silenceAll();
    cluster.run(Duration.ofSeconds(30));
    assertThat(cluster.every()).containsOnly(NodeLife.DISCONNECTED);
    cluster.cutOff(false);
    cluster.run(Duration.ofSeconds(2));
    cluster.speak("n0");
    assertThat(cluster.runUntil("n1", NodeLife.DOWN)).isLessThan(Duration.ofMillis(1_400));
    assertThat(cluster.life("n0")).isEqualTo(NodeLife.READY);
  }

  @Test
  void aThousandNodesWithLossAreNotAccused() {
    JudgedCluster cluster = new JudgedCluster(11, 1_000);
    cluster.lose(0.02, 0.2); // one beat in fifty is lost, one in five comes up to 200 ms late
    cluster.run(Duration.ofSeconds(20));
    Set<String> dead = IntStream.range(0, 300).mapToObj(i -> "n" + i).collect(Collectors.toSet());
    // Three lost in a row suspect a node for a moment; nobody is ever taken for dead.
    assertThat(cluster.everythingThatHappened().values()).noneMatch(lives -> lives.contains(NodeLife.DOWN));
    assertThat(cluster.everythingThatHappened().size()).isLessThan(20);
    dead.forEach(cluster::silence);
    cluster.run(Duration.ofSeconds(4));
    assertThat(dead).allSatisfy(node -> assertThat(cluster.life(node)).isEqualTo(NodeLife.DOWN));
  }

  @Test
  void aStarvedJudgeIsSlowerAndNotUnjust() {
    for (long seed = 0; seed < 20; seed++) {
      JudgedCluster cluster = new JudgedCluster(seed, 10);
      cluster.starveJudge(Duration.ofMillis(900)); // each tick up to so much late, and beats wait as long to be read
      cluster.run(Duration.ofSeconds(60));
      assertThat(cluster.everythingThatHappened()).as("seed %d", seed).isEmpty();
      cluster.silence("n5");
      assertThat(cluster.runUntil("n5", NodeLife.DOWN)).as("seed %d", seed).isLessThan(Duration.ofSeconds(40));
    }
  }

  @Test
  void theHeartbeatPeriodOfTheClusterSetsTheGrace() {
    JudgedCluster cluster = new JudgedCluster(12, 3);
    SwarmSpec spec =
        SwarmSpec.newBuilder().setDispatcher(DispatcherConfig.newBuilder().setHeartbeatPeriod(Duration.ofSeconds(10).toNanos())).build();
    cluster.walk().put(Rows.cluster(), ClusterRow.newBuilder().setSpec(spec).build());
    Silence silence = Silence.of(cluster.walk().state());
    assertThat(silence.grace()).isEqualTo(Duration.ofSeconds(6));
    assertThat(silence.suspect()).isEqualTo(Duration.ofMillis(1_500));
    assertThat(silence.beat()).isEqualTo(Duration.ofMillis(500));
    cluster.run(Duration.ofSeconds(1));
    cluster.silence("n0");
    assertThat(cluster.runUntil("n0", NodeLife.DOWN)).isBetween(Duration.ofMillis(5_000), Duration.ofMillis(6_500));
    assertThat(Silence.of(ClusterState.empty())).isEqualTo(new Silence(GRACE));
  }

  @Test
  void aServiceKeepsItsLastEndpointsWhileTheyAreOnlySuspect() {
    JudgedCluster cluster = new JudgedCluster(13, 5);
    cluster.run(Duration.ofSeconds(1));
    runs(cluster.walk(), "alone", "single", "n2");
    runs(cluster.walk(), "both1", "pair", "n2");
    runs(cluster.walk(), "both2", "pair", "n3");
    cluster.silence("n2");
    cluster.runUntil("n2", NodeLife.DISCONNECTED);
    assertThat(cluster.message("n2")).contains("still in traffic").contains("single").doesNotContain("pair");
    assertThat(serving(cluster.walk())).containsExactlyInAnyOrder("alone", "both2");
    cluster.runUntil("n2", NodeLife.DOWN);
    assertThat(serving(cluster.walk())).containsExactly("both2");
  }

  private static Set<String> serving(Walk walk) {
    Set<String> serving = new HashSet<>();
    FeedView.all(walk.state()).values().stream()
        .filter(entry -> entry.getEndpoint().getServing())
        .forEach(entry -> serving.add(entry.getEndpoint().getTaskId()));
    return serving;
  }

  static void runs(Walk walk, String task, String service, String node) {
    walk.put(
        Rows.INTENT.key(task),
        TaskIntentRow.newBuilder().setId(task).setServiceId(service).setSlot(1).setDesired(TaskState.TASK_RUNNING).build());
    walk.put(
        Rows.ADDRESS.key(task),
        TaskAddressRow.newBuilder().addAddresses(TaskAddress.newBuilder().setNetworkId("net").setAddress("10.0.1.5/24")).build());
    walk.put(Rows.PLACEMENT.key(task), PlacementRow.newBuilder().setTaskId(task).setNodeId(node).build());
    walk.put(Rows.STATUS.key(task), TaskStatusRow.newBuilder().setTaskId(task).setState(TaskState.TASK_RUNNING).build());
  }

  static void node(Walk walk, String id) {
    walk.put(Rows.NODE_SPEC.key(id), NodeSpecRow.newBuilder().setId(id).build());
    walk.put(Rows.NODE_STATUS.key(id), NodeStatusRow.newBuilder().setNodeId(id).setState("ready").build());
  }

  static Instant start() {
    return Instant.ofEpochSecond(1_000_000);
  }
}
