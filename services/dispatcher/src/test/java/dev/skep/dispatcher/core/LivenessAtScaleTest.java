package dev.skep.dispatcher.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A thousand nodes and one judge in virtual time, seeded: who is accused of what, and when. Prints a table. */
@Tag("slow")
final class LivenessAtScaleTest {
  private static final int NODES = 1_000;
  private static final Silence SILENCE = new Silence(Duration.ofSeconds(3));
  /** A silence is noticed at the tick after its limit. */
  private static final Duration SUSPECT = SILENCE.suspect().plus(SILENCE.tick());
  private static final Duration DOWN = SILENCE.grace().plus(SILENCE.tick());
  private static final List<String> TABLE = new ArrayList<>();

  private record Counts(int suspect, int down, int unknown, Duration lastSuspect, Duration lastDown) {}

  @AfterAll
  static void print() {
    System.out.printf("%-44s %6s %8s %6s %8s %12s %12s%n", "1000 nodes", "cut", "suspect", "down", "unknown", "suspect by", "down by");
    TABLE.forEach(System.out::println);
  }

  private static JudgedCluster running(long seed) {
    JudgedCluster cluster = new JudgedCluster(seed, NODES);
    cluster.run(Duration.ofSeconds(2));
    cluster.forgetThePast();
    return cluster;
  }

  /** Nodes spread over the whole range. */
  private static List<String> some(int count, long seed) {
    List<Integer> all = new ArrayList<>(IntStream.range(0, NODES).boxed().toList());
    java.util.Collections.shuffle(all, new Random(seed));
    return all.subList(0, count).stream().map(i -> "n" + i).toList();
  }

  private static Counts count(String scenario, JudgedCluster cluster, List<String> cut, Instant from) {
    Map<String, List<NodeLife>> happened = cluster.everythingThatHappened();
    Counts counts = new Counts(
        with(happened, NodeLife.DISCONNECTED), with(happened, NodeLife.DOWN), with(happened, NodeLife.UNKNOWN),
        last(cluster, cut, NodeLife.DISCONNECTED, from), last(cluster, cut, NodeLife.DOWN, from));
    TABLE.add(String.format("%-44s %6d %8d %6d %8d %9d ms %9d ms", scenario, cut.size(), counts.suspect, counts.down, counts.unknown,
        counts.lastSuspect.toMillis(), counts.lastDown.toMillis()));
    return counts;
  }

  private static int with(Map<String, List<NodeLife>> happened, NodeLife life) {
    return (int) happened.values().stream().filter(lives -> lives.contains(life)).count();
  }

  private static Duration last(JudgedCluster cluster, List<String> nodes, NodeLife life, Instant from) {
    return nodes.stream().map(node -> cluster.first(node, life, from)).flatMap(Optional::stream).max(Duration::compareTo).orElse(Duration.ZERO);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 10, 20})
  void lostBeatsTakeNobodyForDead(int percent) {
    JudgedCluster cluster = running(percent);
    Instant from = cluster.time();
    cluster.lose(percent / 100.0, 0.2);
    cluster.run(Duration.ofSeconds(20));
    Counts counts = count(percent + " % of beats are lost", cluster, List.of(), from);
    assertThat(counts.down).isZero();
    assertThat(counts.unknown).isZero();
    cluster.lose(0, 0);
    cluster.run(Duration.ofSeconds(1));
    assertThat(cluster.every()).containsOnly(NodeLife.READY);
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "100, 0", "1, 5", "100, 5", "333, 0"})
  void whoIsCutOffIsSuspectAndDownInTime(int count, int lossPercent) {
    JudgedCluster cluster = running(count);
    List<String> cut = some(count, 17);
    cluster.lose(lossPercent / 100.0, 0);
    cluster.run(Duration.ofSeconds(2));
    cluster.forgetThePast();
    Instant from = cluster.time();
    cut.forEach(cluster::silence);
    cluster.run(Duration.ofSeconds(6));
    Counts counts = count(count + " cut off for good, " + lossPercent + " % lost", cluster, cut, from);
    assertThat(cut).allSatisfy(node -> assertThat(cluster.life(node)).isEqualTo(NodeLife.DOWN));
    assertThat(counts.down).isEqualTo(count);
    assertThat(counts.lastSuspect).isLessThanOrEqualTo(SUSPECT);
    assertThat(counts.lastDown).isLessThanOrEqualTo(DOWN);
    cut.forEach(cluster::speak);
    cluster.lose(0, 0);
    cluster.run(Duration.ofSeconds(1));
    assertThat(cluster.every()).containsOnly(NodeLife.READY);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 100, 333, 400, 1_000})
  void aSilenceOfTwoSecondsMovesNoTask(int count) {
    JudgedCluster cluster = running(count + 1);
    List<String> cut = some(count, 18);
    Instant from = cluster.time();
    cut.forEach(cluster::silence);
    cluster.run(Duration.ofSeconds(2));
    cut.forEach(cluster::speak);
    cluster.run(Duration.ofSeconds(5));
    Counts counts = count(count + " silent for 2 s", cluster, cut, from);
    assertThat(counts.down).isZero();
    assertThat(counts.suspect).isEqualTo(count > NODES / 3 ? 0 : count);
    assertThat(cluster.every()).containsOnly(NodeLife.READY);
  }

  @Test
  void fortyPercentAtOnceIsPanicUntilItIsOver() {
    JudgedCluster cluster = running(40);
    List<String> cut = some(400, 19);
    Instant from = cluster.time();
    cut.forEach(cluster::silence);
    cluster.run(SILENCE.panicGrace().minus(SILENCE.beat()));
    Counts panic = count("400 cut off, within three graces", cluster, cut, from);
    assertThat(panic.suspect + panic.down).isZero();
    assertThat(panic.unknown).isEqualTo(400);
    cluster.run(Duration.ofSeconds(1));
    Counts over = count("400 cut off, after three graces", cluster, cut, from);
    assertThat(over.down).isEqualTo(400);
    assertThat(over.lastDown).isLessThanOrEqualTo(SILENCE.panicGrace().plus(SILENCE.tick()));
    cut.forEach(cluster::speak);
    cluster.run(Duration.ofSeconds(1));
    assertThat(cluster.every()).containsOnly(NodeLife.READY);
    // The rule has ended: the next death is judged as ever.
    cluster.forgetThePast();
    cluster.run(SILENCE.grace());
    Instant again = cluster.time();
    cluster.silence("n7");
    cluster.run(Duration.ofSeconds(4));
    assertThat(count("and one more, later", cluster, List.of("n7"), again).lastDown).isBetween(SILENCE.suspect(), DOWN);
  }

  @Test
  void whoHearsNobodyGivesNobodyUp() {
    JudgedCluster cluster = running(41);
    Instant from = cluster.time();
    cluster.silenceAll();
    cluster.run(Duration.ofMinutes(2));
    Counts counts = count("all cut off for two minutes", cluster, some(NODES, 20), from);
    assertThat(counts.suspect + counts.down).isZero();
    assertThat(counts.unknown).isEqualTo(NODES);
    cluster.speakAll();
    cluster.run(Duration.ofSeconds(1));
    assertThat(cluster.every()).containsOnly(NodeLife.READY);
  }

  @ParameterizedTest
  @CsvSource({"0, 100", "100, 900", "500, 5000"})
  void aStarvedJudgeAccusesNobody(int least, int most) {
    JudgedCluster cluster = running(most);
    Instant from = cluster.time();
    cluster.starveJudge(Duration.ofMillis(least), Duration.ofMillis(most));
    cluster.run(Duration.ofSeconds(60));
    count("each tick late by " + least + " to " + most + " ms", cluster, List.of(), from);
    assertThat(cluster.everythingThatHappened()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 30})
  void aPausedJudgeAccusesNobody(int seconds) {
    JudgedCluster cluster = running(seconds);
    Instant from = cluster.time();
    cluster.pauseJudge(Duration.ofSeconds(seconds));
    cluster.run(Duration.ofSeconds(10));
    count("the judge stands still for " + seconds + " s", cluster, List.of(), from);
    assertThat(cluster.everythingThatHappened()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {-86_400, -5, -1, 1, 5, 86_400})
  void aClockThatJumpsAccusesNobody(long seconds) {
    JudgedCluster cluster = running(seconds);
    Instant from = cluster.time();
    cluster.jumpClock(Duration.ofSeconds(seconds));
    cluster.run(Duration.ofSeconds(10));
    count("the judge's clock jumps by " + seconds + " s", cluster, List.of(), from);
    assertThat(cluster.everythingThatHappened()).isEmpty();
    Instant cut = cluster.time();
    cluster.silence("n3");
    cluster.run(Duration.ofSeconds(4));
    assertThat(count("and one dies after that", cluster, List.of("n3"), cut).lastDown).isBetween(SILENCE.suspect(), DOWN);
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "5, 0", "60, 0", "1, 50", "5, 50", "60, 50"})
  void aManagersRestartAccusesNobody(int seconds, int failingPercent) {
    JudgedCluster cluster = running(seconds + failingPercent);
    Instant from = cluster.time();
    cluster.restartManager(Duration.ofSeconds(seconds), failingPercent / 100.0);
    cluster.run(Duration.ofSeconds(seconds + 40));
    Counts counts = count("manager away for " + seconds + " s, " + failingPercent + " % fail at first", cluster, List.of(), from);
    assertThat(counts.down).isZero();
    assertThat(cluster.every()).containsOnly(NodeLife.READY);
  }
}
