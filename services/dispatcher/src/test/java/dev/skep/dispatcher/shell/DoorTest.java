package dev.skep.dispatcher.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.dispatcher.DispatcherComponent;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.Origin;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.TestHost;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The services of the door, called by fake agents in one process, on a real store. */
class DoorTest {
  private TestHost host;
  private Cluster cluster;

  @BeforeEach
  void start() {
    host = TestHost.start(new DispatcherComponent(DispatcherConfig.defaults()));
    cluster = new Cluster(host).init("n1", "n2");
  }

  @AfterEach
  void stop() {
    host.close();
  }

  private FakeAgent agent(String node) {
    return new FakeAgent(host.channel("dispatcher"), node);
  }

  private static TaskState observed(ClusterState state, String task) {
    return state.has(Rows.STATUS.key(task)) ? state.value(Rows.STATUS.key(task)).getState() : TaskState.TASK_NEW;
  }

  @Test
  void aTaskFlowsToItsNodeAndBack() throws Exception {
    try (FakeAgent agent = agent("n1")) {
      cluster.place("t1", "n1");
      cluster.place("other", "n2");
      assertThat(agent.register().isOk()).isTrue();
      assertThat(host.view().state().value(Rows.NODE_STATUS.key("n1")).getState()).isEqualTo("ready");
      agent.openAssignments();
      assertThat(agent.awaitSet(set -> !set.tasks().isEmpty()).tasks()).containsOnlyKeys("t1");
      assertThat(agent.set().networks()).containsOnlyKeys(Cluster.NETWORK);
      cluster.place("t2", "n1");
      agent.awaitSet(set -> set.tasks().containsKey("t2") && set.tasks().get("t2").getAttachmentsCount() == 1);

      agent.report("t1", TaskState.TASK_ACCEPTED, TaskState.TASK_PREPARING, TaskState.TASK_RUNNING);
      host.await("t1 runs", state -> observed(state, "t1") == TaskState.TASK_RUNNING);
      assertThat(host.view().state().value(Rows.STATUS.key("t1")).hasAppliedAt()).isTrue();
      agent.report("t1", TaskState.TASK_STARTING); // backwards: ignored
      agent.report("gone", TaskState.TASK_RUNNING); // nobody's: ignored
      assertThat(observed(host.view().state(), "t1")).isEqualTo(TaskState.TASK_RUNNING);
      assertThat(host.view().state().has(Rows.STATUS.key("gone"))).isFalse();

      host.delete(Rows.INTENT.key("t1"));
      agent.awaitSet(set -> !set.tasks().containsKey("t1"));
      host.await("the status follows its parent", state -> !state.has(Rows.STATUS.key("t1")));
    }
  }

  @Test
  void anotherNodesTaskIsRefused() throws Exception {
    try (FakeAgent agent = agent("n1")) {
      cluster.place("theirs", "n2");
      agent.register();
      assertThatThrownBy(() -> agent.report("theirs", TaskState.TASK_RUNNING))
          .isInstanceOf(StatusRuntimeException.class)
          .hasMessageContaining("PERMISSION_DENIED");
      assertThat(host.view().state().has(Rows.STATUS.key("theirs"))).isFalse();
    }
  }

  @Test
  void aStrangerIsRefusedAndAFourthRegistrationComesLater() throws Exception {
    try (FakeAgent stranger = agent("nobody")) {
      assertThat(stranger.register().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    }
    FakeAgent before = null;
    for (int i = 0; i < 3; i++) {
      FakeAgent agent = agent("n1");
      assertThat(agent.register().isOk()).isTrue();
      if (before != null) {
        // A newer session ends the older one.
        assertThat(before.sessionEnd().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(before.beat().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
        FakeAgent old = before;
        assertThatThrownBy(() -> old.report("t", TaskState.TASK_RUNNING)).hasMessageContaining("UNAUTHENTICATED");
      }
      before = agent;
    }
    try (FakeAgent fourth = agent("n1"); FakeAgent other = agent("n2")) {
      assertThat(fourth.register().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(other.register().isOk()).isTrue();
      assertThat(before.beat().isOk()).isTrue();
    }
    before.leave();
  }

  @Test
  void aSessionEndsWhenItsNodeIsRemoved() throws Exception {
    try (FakeAgent agent = agent("n1")) {
      agent.register();
      cluster.place("t1", "n1");
      agent.report("t1", TaskState.TASK_RUNNING);
      host.delete(Rows.NODE_SPEC.key("n1"));
      assertThat(agent.sessionEnd().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
      host.await("rows of the node are gone and its task is given up", state ->
          !state.has(Rows.NODE_STATUS.key("n1")) && !state.has(Rows.SESSION.key("n1")) && observed(state, "t1") == TaskState.TASK_ORPHANED);
    }
  }

  @Test
  void anAgentThatGoesAwayEndsItsSession() throws Exception {
    try (FakeAgent agent = agent("n1")) {
      agent.register();
      String old = agent.sessionId();
      agent.leave();
      try (FakeAgent again = agent("n1")) {
        assertThat(again.register().isOk()).isTrue();
        assertThat(again.sessionId()).isNotEqualTo(old);
        assertThat(again.beat().isOk()).isTrue();
      }
    }
  }

  @Test
  void theFeedTellsEveryNodeOfEveryEndpoint() throws Exception {
    try (FakeAgent one = agent("n1"); FakeAgent two = agent("n2")) {
      one.register();
      two.register();
      two.openFeed();
      cluster.place("t1", "n1");
      two.awaitFeed(feed -> feed.containsKey("endpoint/t1") && !serving(feed));
      one.report("t1", TaskState.TASK_RUNNING);
      two.awaitFeed(DoorTest::serving);
      two.awaitFeed(feed -> feed.containsKey("peer/n1") && feed.containsKey("service/web") && feed.containsKey("network/net"));
      one.report("t1", TaskState.TASK_FAILED);
      two.awaitFeed(feed -> !feed.containsKey("endpoint/t1"));
    }
  }

  private static boolean serving(Map<String, FeedEntry> feed) {
    return feed.containsKey("endpoint/t1") && feed.get("endpoint/t1").getEndpoint().getServing();
  }

  @Test
  void aTaskStopsOnlyWhenTrafficHasLeftIt() throws Exception {
    try (FakeAgent one = agent("n1"); FakeAgent two = agent("n2")) {
      for (FakeAgent agent : new FakeAgent[] {one, two}) {
        agent.register();
        agent.openAssignments();
        agent.openFeed();
      }
      cluster.place("t1", "n1");
      one.report("t1", TaskState.TASK_RUNNING);
      for (FakeAgent agent : new FakeAgent[] {one, two}) {
        agent.awaitFeed(DoorTest::serving);
        agent.beat();
      }
      one.awaitSet(set -> set.tasks().containsKey("t1"));
      cluster.desire("t1", TaskState.TASK_SHUTDOWN);
      one.awaitFeed(feed -> !serving(feed));
      two.awaitFeed(feed -> !serving(feed));
      one.beat();
      assertThat(one.set().tasks().get("t1").getDesired()).isEqualTo(TaskState.TASK_RUNNING);
      two.beat();
      one.awaitSet(set -> set.tasks().get("t1").getDesired() == TaskState.TASK_SHUTDOWN);
    }
  }

  @Test
  void aNodeThatDoesNotApplyTheFeedHoldsNothingUpForLong() throws Exception {
    try (FakeAgent one = agent("n1"); FakeAgent two = agent("n2")) {
      one.register();
      two.register();
      one.openAssignments();
      two.openFeed(); // and never beats
      cluster.place("t1", "n1");
      one.report("t1", TaskState.TASK_RUNNING);
      two.awaitFeed(DoorTest::serving);
      cluster.desire("t1", TaskState.TASK_SHUTDOWN);
      one.awaitSet(set -> set.tasks().containsKey("t1") && set.tasks().get("t1").getDesired() == TaskState.TASK_SHUTDOWN);
    }
  }

  @Test
  void aReportIsWrittenOnceAndOnlyWhenItSaysSomething() throws Exception {
    try (FakeAgent agent = agent("n1")) {
      agent.register();
      NodeReport report = NodeReport.newBuilder().setAdvertiseAddr("192.0.2.9").addRoutes("10.9.0.0/16").build();
      agent.report(report);
      long revision = host.view().fresh(Duration.ofSeconds(5)).revision();
      agent.report(report);
      assertThat(host.view().fresh(Duration.ofSeconds(5)).revision()).isEqualTo(revision);
      assertThat(host.view().state().value(Rows.NODE_STATUS.key("n1")).getRoutesList()).containsExactly("10.9.0.0/16");
    }
  }

  @Test
  void manyReportsAtOnceAllLand() throws Exception {
    int tasks = 300;
    for (int i = 0; i < tasks; i++) {
      cluster.place("t" + i, "n1");
    }
    try (FakeAgent agent = agent("n1")) {
      agent.register();
      agent.openAssignments();
      agent.awaitSet(set -> set.tasks().size() == tasks);
      List<Thread> reporters = new ArrayList<>();
      for (int i = 0; i < tasks; i++) {
        String task = "t" + i;
        reporters.add(Thread.startVirtualThread(() -> {
          agent.report(task, TaskState.TASK_ACCEPTED);
          agent.report(task, TaskState.TASK_STARTING);
          agent.report(task, TaskState.TASK_RUNNING);
        }));
      }
      for (Thread reporter : reporters) {
        reporter.join();
      }
      ClusterState state = host.view().fresh(Duration.ofSeconds(5));
      for (int i = 0; i < tasks; i++) {
        assertThat(observed(state, "t" + i)).isEqualTo(TaskState.TASK_RUNNING);
      }
    }
  }

  @Test
  void aNewNodeIsKnownAtOnce() throws Exception {
    host.put(Rows.NODE_SPEC.key("n9"), NodeSpecRow.newBuilder().setId("n9").build());
    try (FakeAgent agent = agent("n9")) {
      assertThat(agent.register().isOk()).isTrue();
      agent.openAssignments();
      SortedMap<String, ?> tasks = agent.set().tasks();
      assertThat(tasks).isEmpty();
    }
  }

  @Test
  void aRestoredClusterLooksAndTellsNodesNothingUntilItIsConfirmed() throws Exception {
    ClusterRow row = host.view().state().value(Rows.cluster());
    host.put(Rows.cluster(), row.toBuilder().setEpoch("restored").setOrigin(Origin.newBuilder().setUnconfirmed(true)).build());
    try (FakeAgent agent = agent("n1")) {
      cluster.place("old", "n1");
      agent.register();
      agent.openAssignments();
      agent.openFeed();
      agent.report("old", TaskState.TASK_RUNNING);
      agent.report("newer", TaskState.TASK_RUNNING);
      host.await("what it knows is written", state -> observed(state, "old") == TaskState.TASK_RUNNING);
      host.await("what it does not know is noted", state -> unknown(state).equals(List.of("newer")));
      cluster.place("more", "n1");
      agent.beat();
      assertThat(agent.unread()).as("assignments").isZero();
      agent.report("newer", TaskState.TASK_FAILED);
      host.await("nothing of it is left", state -> unknown(state).isEmpty());
      assertThat(agent.unread()).as("assignments").isZero();

      host.put(Rows.cluster(), host.view().state().value(Rows.cluster()).toBuilder().clearOrigin().build());
      assertThat(agent.awaitSet(set -> !set.tasks().isEmpty()).tasks()).as("all at once").containsOnlyKeys("old", "more");
      assertThat(agent.awaitFeed(feed -> !feed.isEmpty()).getEpoch()).isEqualTo("restored");
    }
  }

  private static List<String> unknown(ClusterState state) {
    return List.copyOf(state.value(Rows.NODE_STATUS.key("n1")).getUnknownTasksList());
  }
}
