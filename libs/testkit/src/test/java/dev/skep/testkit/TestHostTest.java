package dev.skep.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.grpc.Callers;
import dev.skep.runtime.identity.Caller;
import dev.skep.control.v1.ControlGrpc;
import dev.skep.control.v1.GetRequest;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.RolloutRow;
import dev.skep.state.v1.ServiceRow;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class TestHostTest {
  /** Gives every service a rollout row. */
  private static final Decider ROLLOUTS = (state, since, tick) -> {
    Decision.Builder decision = Decision.builder();
    for (Row<ServiceRow> service : state.rows(Rows.SERVICE)) {
      String id = service.key().lastPart();
      if (!state.has(Rows.ROLLOUT.key(id))) {
        decision.change(ChangeSet.about(id).put(Rows.ROLLOUT.key(id), RolloutRow.getDefaultInstance()).present(service.key()));
      }
    }
    return decision.build();
  };

  private static long rollouts(ClusterState state) {
    long count = 0;
    for (Row<RolloutRow> ignored : state.rows(Rows.ROLLOUT)) {
      count++;
    }
    return count;
  }

  @Test
  void aLoopDecidesAboutWhatIsThereAndWhatComes() {
    try (TestHost host = TestHost.start()) {
      host.put(Rows.cluster(), ClusterRow.getDefaultInstance());
      host.put(Rows.SERVICE.key("a"), ServiceRow.getDefaultInstance());
      ControlLoop loop = host.loop("rollouts", ROLLOUTS);
      host.await("the rollout of a", state -> state.has(Rows.ROLLOUT.key("a")));
      for (int i = 0; i < 250; i++) {
        host.put(Rows.SERVICE.key("s" + i), ServiceRow.getDefaultInstance());
      }
      host.await("all rollouts", state -> rollouts(state) == 251);
      assertThat(loop.quarantined()).isEmpty();
    }
  }

  @Test
  void aLoopRestsAndWritesNothingWhileThereIsNoCluster() {
    try (TestHost host = TestHost.start()) {
      host.loop("rollouts", ROLLOUTS);
      host.put(Rows.SERVICE.key("a"), ServiceRow.getDefaultInstance());
      host.put(Rows.cluster(), ClusterRow.getDefaultInstance());
      host.await("the rollout of a", state -> state.has(Rows.ROLLOUT.key("a")));
      assertThat(host.view().state().row(Rows.LEADER.key("rollouts")).createRevision())
          .as("no campaign before there was a cluster")
          .isGreaterThan(host.view().state().row(Rows.cluster()).modRevision());
      host.delete(Rows.cluster());
      host.delete(Rows.LEADER.key("rollouts"));
      host.put(Rows.SERVICE.key("b"), ServiceRow.getDefaultInstance());
      host.put(Rows.cluster(), ClusterRow.getDefaultInstance());
      host.await("the rollout of b, by the loop of before", state -> state.has(Rows.ROLLOUT.key("b")));
      assertThat(host.view().state().row(Rows.LEADER.key("rollouts")).createRevision())
          .isGreaterThan(host.view().state().row(Rows.cluster()).modRevision());
    }
  }

  @Test
  void aSecondHostGoesOnWhereTheFirstEnded() {
    TestHost first = TestHost.start();
    first.put(Rows.cluster(), ClusterRow.getDefaultInstance());
    first.put(Rows.SERVICE.key("a"), ServiceRow.getDefaultInstance());
    first.loop("rollouts", ROLLOUTS);
    first.await("the rollout of a", state -> state.has(Rows.ROLLOUT.key("a")));
    Path folder = first.stop();
    try (TestHost second = TestHost.start(folder, Clock.systemUTC())) {
      assertThat(second.view().state().has(Rows.ROLLOUT.key("a"))).isTrue();
      second.loop("rollouts", ROLLOUTS);
      second.put(Rows.SERVICE.key("b"), ServiceRow.getDefaultInstance());
      second.await("the rollout of b", state -> state.has(Rows.ROLLOUT.key("b")));
    }
  }

  @Test
  void componentsCallEachOtherAndTheCallerIsKnown() {
    AtomicReference<Optional<Caller>> caller = new AtomicReference<>();
    try (TestHost host = TestHost.start()) {
      ControlGrpc.ControlBlockingStub stub = ControlGrpc.newBlockingStub(host.channel("control-api"));
      assertThat(statusOf(stub)).isEqualTo(Status.Code.UNAVAILABLE);
      host.serve("control-api", new ControlGrpc.ControlImplBase() {
        @Override
        public void get(GetRequest request, StreamObserver<dev.skep.control.v1.Object> responses) {
          caller.set(Callers.current());
          responses.onNext(dev.skep.control.v1.Object.getDefaultInstance());
          responses.onCompleted();
        }
      });
      assertThat(statusOf(stub)).isEqualTo(Status.Code.OK);
      assertThat(caller.get()).containsInstanceOf(Caller.InProcess.class);
    }
  }

  private static Status.Code statusOf(ControlGrpc.ControlBlockingStub stub) {
    try {
      stub.get(GetRequest.getDefaultInstance());
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }
}
