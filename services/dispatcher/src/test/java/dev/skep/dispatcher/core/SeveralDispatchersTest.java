package dev.skep.dispatcher.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.certificates.v1.Manager;
import dev.skep.dispatcher.v1.DispatcherNews;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.state.ChangeSet;
import dev.skep.state.Guard;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.TaskStatusRow;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What one of several dispatchers may say of nodes that another one holds. */
class SeveralDispatchersTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration STEP = Duration.ofMillis(100);
  private static final DispatcherRow ME = DispatcherRow.newBuilder().setId("me").setAddress("10.0.0.1:2377").setNodeId("m1").build();
  private static final DispatcherRow OTHER = DispatcherRow.newBuilder().setId("other").setAddress("10.0.0.2:2377").setNodeId("m2").build();

  private final Walk walk = new Walk(1, 1, 1, 1, 1);

  private void node(String id) {
    walk.apply(ChangeSet.about(id)
        .put(Rows.NODE_SPEC.key(id), NodeSpecRow.newBuilder().setId(id).build())
        .put(Rows.NODE_STATUS.key(id), NodeStatusRow.newBuilder().setNodeId(id).setState("ready").build())
        .build());
  }

  private void alive(DispatcherRow dispatcher) {
    walk.apply(ChangeSet.about("peer").put(Rows.PEER.key(dispatcher.getId()), dispatcher).build());
  }

  private void gone(DispatcherRow dispatcher) {
    walk.apply(ChangeSet.about("peer").delete(Rows.PEER.key(dispatcher.getId())).build());
  }

  private SessionKey session(String node, String id, DispatcherRow dispatcher) {
    SessionKey key = new SessionKey(node, id);
    walk.apply(Registration.open(walk.state(), key, dispatcher, NodeReport.getDefaultInstance(), START).orElseThrow());
    return key;
  }

  /** Judges until the node is thought of otherwise than now; answers how long that took, in steps; -1 for never. */
  private int stepsToChange(Liveness begun, String node, Map<String, Heard> heard, boolean leads, int most) {
    Liveness judge = begun;
    Instant now = begun.lastTick();
    String before = walk.state().value(Rows.NODE_STATUS.key(node)).getState();
    for (int step = 0; step < most; step++) {
      now = now.plus(STEP);
      Liveness.Judgement judgement = judge.judge(walk.state(), heard, ME.getId(), leads, now);
      judge = judgement.next();
      judgement.decision().changes().forEach(walk::apply);
      if (!walk.state().value(Rows.NODE_STATUS.key(node)).getState().equals(before)) {
        return step;
      }
    }
    return -1;
  }

  @Test
  void aNodeOfAnotherLivingDispatcherIsThatOnesToJudge() {
    node("n");
    alive(ME);
    alive(OTHER);
    session("n", "s1", OTHER);
    Heard before = new Heard(START, false); // it was here before
    assertThat(stepsToChange(Liveness.fresh(START), "n", Map.of("n", before), true, 300)).isEqualTo(-1);
  }

  @Test
  void theNodesOfADispatcherThatIsGoneHaveTimeToComeBackAndOnlyTheHolderJudgesThem() {
    node("n");
    alive(ME);
    alive(OTHER);
    session("n", "s1", OTHER);
    Liveness old = Liveness.fresh(START);
    assertThat(stepsToChange(old, "n", Map.of(), true, 200)).isEqualTo(-1);
    Liveness judge = new Liveness(START, START.plusSeconds(100), START.plusSeconds(100), old.watched(), START, START);
    gone(OTHER);
    assertThat(stepsToChange(judge, "n", Map.of(), false, 300)).as("whoever does not lead").isEqualTo(-1);
    int steps = stepsToChange(judge, "n", Map.of(), true, 300);
    assertThat(STEP.multipliedBy(steps)).isBetween(Duration.ofMillis(5_500), Duration.ofMillis(6_500));
    assertThat(NodeLife.of(walk.state(), "n")).isEqualTo(NodeLife.DOWN);
  }

  @Test
  void theHostOfADispatcherThatIsGoneWasSilentAsLongAsItsDispatcherWas() {
    node("m2");
    alive(ME);
    alive(OTHER);
    session("m2", "s1", OTHER);
    gone(OTHER);
    Heard through = Heard.through(Duration.ofMillis(2_900), START);
    int steps = stepsToChange(Liveness.fresh(START), "m2", Map.of("m2", through), true, 300);
    assertThat(steps).isBetween(0, 3);
  }

  @Test
  void aNodeWhoseProcessStartsAgainHasTimeForThatAndNotForEver() {
    node("n");
    node("dead");
    alive(ME);
    SessionKey session = session("n", "s1", ME);
    session("dead", "s2", ME);
    Map<String, Heard> heard = Map.of("n", new Heard(START, false), "dead", new Heard(START, false));
    walk.apply(Pause.promised(walk.state(), session, Duration.ofMinutes(5), START).orElseThrow());
    Liveness judge = Liveness.fresh(START);
    String message = "";
    for (long tenths = 0; tenths <= 320; tenths++) {
      Instant now = START.plus(STEP.multipliedBy(tenths));
      Liveness.Judgement judgement = judge.judge(walk.state(), heard, ME.getId(), true, now);
      judge = judgement.next();
      judgement.decision().changes().forEach(walk::apply);
      NodeLife life = NodeLife.of(walk.state(), "n");
      NodeLife expected = tenths < 8 ? NodeLife.READY : tenths < 300 ? NodeLife.UNKNOWN : NodeLife.DOWN; // unknown: in traffic
      assertThat(life).as("after %d ms", 100 * tenths).isEqualTo(expected);
      message = life == NodeLife.UNKNOWN ? walk.state().value(Rows.NODE_STATUS.key("n")).getMessage() : message;
      assertThat(NodeLife.of(walk.state(), "dead") == NodeLife.DOWN).as("the other").isEqualTo(tenths >= 30);
    }
    assertThat(message).contains("starts again", "30 s");
    session("n", "s3", ME);
    assertThat(walk.state().value(Rows.NODE_STATUS.key("n")).getBackWithinNanos()).as("it is back").isZero();
    assertThat(Pause.promised(walk.state(), session, Duration.ofSeconds(5), START)).as("of a session that is over").isEmpty();
  }

  /** The answer to a commit may be lost: then the row names a session that nobody has. */
  @Test
  void aNodeWhoseSessionWasReplacedHereIsJudgedHereAndHasTimeToComeBack() {
    node("n");
    alive(ME);
    session("n", "s1", ME);
    Heard last = new Heard(START, false).withoutSession();
    int steps = stepsToChange(Liveness.fresh(START), "n", Map.of("n", last), false, 300);
    assertThat(STEP.multipliedBy(steps)).isBetween(Duration.ofMillis(5_500), Duration.ofMillis(6_500));
    assertThat(new Heard(START, true).withoutSession()).as("the agent of this process").isEqualTo(new Heard(START, true));
  }

  @Test
  void aNodeThatIsExpectedToBeSilentHidesNoOtherThatDies() {
    node("n");
    node("dead");
    node("lives");
    alive(ME);
    SessionKey session = session("n", "s1", ME);
    session("dead", "s2", ME);
    session("lives", "s3", ME);
    walk.apply(Pause.promised(walk.state(), session, Duration.ofSeconds(30), START).orElseThrow());
    Map<String, Heard> heard = Map.of("n", new Heard(START, false), "dead", new Heard(START, false), "lives", new Heard(START, true));
    stepsToChange(Liveness.fresh(START), "dead", heard, true, 300);
    assertThat(NodeLife.of(walk.state(), "dead")).as("no panic").isEqualTo(NodeLife.DISCONNECTED);
  }

  @Test
  void aHostThatLeftIsNotTakenBackByTheDispatcherThatRunsOnItStill() {
    node("m1");
    session("m1", "s1", ME);
    walk.apply(Registration.leave(walk.state(), "m1", START).orElseThrow());
    assertThat(NodeLife.of(walk.state(), "m1")).isEqualTo(NodeLife.DOWN);
    assertThat(stepsToChange(Liveness.fresh(START), "m1", Map.of("m1", new Heard(START, true)), true, 100)).isEqualTo(-1);
  }

  @Test
  void anOlderDispatcherWritesNothingAboutANodeThatWentOn() {
    node("n");
    alive(ME);
    alive(OTHER);
    session("n", "s1", ME);
    Liveness.Judgement judgement = Liveness.fresh(START).judge(walk.state(), Map.of("n", new Heard(START, false)), "me", true, START).next()
        .judge(walk.state(), Map.of("n", new Heard(START, false)), "me", true, START.plus(STEP));
    for (int step = 2; judgement.decision().changes().isEmpty(); step++) {
      judgement = judgement.next().judge(walk.state(), Map.of("n", new Heard(START, false)), "me", true, START.plus(STEP.multipliedBy(step)));
    }
    ChangeSet silent = judgement.decision().changes().getFirst();
    StatusRules.Verdict report = StatusRules.judge(walk.state(), new SessionKey("n", "s1"), List.of(TaskStatusRow.getDefaultInstance()), START);
    assertThat(report).isInstanceOf(StatusRules.Verdict.Accepted.class);
    long before = walk.state().row(Rows.SESSION.key("n")).modRevision();
    session("n", "s2", OTHER);
    assertThat(silent.guards()).contains(new Guard.Unmodified(Rows.SESSION.key("n"), before));
    assertThat(StatusRules.judge(walk.state(), new SessionKey("n", "s1"), List.of(), START)).isInstanceOf(StatusRules.Verdict.SessionOver.class);
  }

  @Test
  void whatAnotherDispatcherToldBeforeItKnewTheSessionSaysNothing() {
    node("n");
    alive(OTHER);
    session("n", "s1", OTHER);
    long opened = walk.state().row(Rows.SESSION.key("n")).modRevision();
    DispatcherNews.Builder news = DispatcherNews.newBuilder().setDispatcherId("other").setEpoch("e").setApplied(77);
    assertThat(Holding.elsewhere(walk.state(), "n", "me")).contains(OTHER);
    assertThat(Holding.elsewhere(walk.state(), "n", "other")).isEmpty();
    assertThat(Holding.applied(walk.state(), "n", "e", Map.of())).isZero();
    assertThat(Holding.applied(walk.state(), "n", "e", Map.of("other", news.setRevision(opened - 1).build()))).isZero();
    assertThat(Holding.applied(walk.state(), "n", "e", Map.of("other", news.setRevision(opened + 100).build()))).isEqualTo(77);
    assertThat(Holding.applied(walk.state(), "n", "another", Map.of("other", news.build()))).isZero();
  }

  @Test
  void whatAnotherDispatcherToldSaysNothingOfWhatCameLater() {
    node("n");
    alive(OTHER);
    session("n", "s1", OTHER);
    walk.apply(ChangeSet.about("n")
        .put(Rows.NODE_STATUS.key("n"), NodeStatusRow.newBuilder().setNodeId("n").setState("disconnected").build()).build());
    long told = walk.state().revision();
    long nobody = Holding.appliedHere(walk.state(), "other", node -> Optional.of(1L)); // the one node does not count now
    assertThat(nobody).isEqualTo(Long.MAX_VALUE);
    String epoch = Assignments.epoch(walk.state());
    DispatcherNews news = DispatcherNews.newBuilder().setDispatcherId("other").setEpoch(epoch).setApplied(nobody).setRevision(told).build();
    walk.apply(ChangeSet.about("n")
        .put(Rows.NODE_STATUS.key("n"), NodeStatusRow.newBuilder().setNodeId("n").setState("ready").build()).build());
    assertThat(Holding.applied(walk.state(), "me", node -> Optional.empty(), Map.of("other", news))).containsExactly(told);
  }

  @Test
  void whatTheStateMakesOfANode() {
    alive(ME);
    alive(OTHER);
    node("n");
    SessionKey here = session("n", "s1", ME);
    assertThat(Holding.fate(walk.state(), "n", "me", here, true)).isEqualTo(Holding.Fate.STAYS);
    assertThat(Holding.fate(walk.state(), "n", "other", null, false)).isEqualTo(Holding.Fate.ELSEWHERE);
    session("n", "s2", OTHER);
    assertThat(Holding.fate(walk.state(), "n", "me", here, false)).as("a state that is too old").isEqualTo(Holding.Fate.STAYS);
    assertThat(Holding.fate(walk.state(), "n", "me", here, true)).isEqualTo(Holding.Fate.OVER);
    assertThat(Holding.fate(walk.state(), "n", "me", null, false)).isEqualTo(Holding.Fate.ELSEWHERE);
    gone(OTHER);
    assertThat(Holding.fate(walk.state(), "n", "me", null, false)).isEqualTo(Holding.Fate.STAYS);
    walk.apply(ChangeSet.about("n").delete(Rows.NODE_SPEC.key("n")).build());
    assertThat(Holding.fate(walk.state(), "n", "me", here, true)).isEqualTo(Holding.Fate.REMOVED);
  }

  @Test
  void nodesSpreadOverTheManagers() {
    List<Manager> managers = IntStream.range(0, 3)
        .mapToObj(i -> Manager.newBuilder().setNodeId("manager" + i).setAddress("10.0.0." + i + ":2377").build()).toList();
    Map<String, Long> firsts = IntStream.range(0, 300).mapToObj(i -> ClusterTrust.inOrder(managers, "node" + i).getFirst().getNodeId())
        .collect(Collectors.groupingBy(id -> id, Collectors.counting()));
    assertThat(firsts).hasSize(3).allSatisfy((_, nodes) -> assertThat(nodes).isBetween(60L, 140L));
    assertThat(ClusterTrust.inOrder(managers, "n")).containsExactlyInAnyOrderElementsOf(managers).isEqualTo(ClusterTrust.inOrder(managers.reversed(), "n"));
    assertThat(ClusterTrust.managers(walk.state(), Optional.of(managers.getFirst()))).isEqualTo(List.of(managers.getFirst()));
  }
}
