package dev.skep.dispatcher.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.v1.SessionMessage;
import dev.skep.runtime.Metrics;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.SessionRow;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.prometheus.client.CollectorRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Sessions that come when the state is further already, or not as far yet. */
class SessionsTest {
  private static final Instant NOW = Instant.EPOCH;
  private final DispatcherMetrics metrics = DispatcherMetrics.of(new Metrics(new CollectorRegistry()));
  private final Stream stream = new Stream();
  private final Sessions sessions = new Sessions(
      "me", Clock.systemUTC(), metrics, new Watch("me", null, metrics, () -> false, () -> false, Optional::empty, NOW), new LogDesk(null, "me"),
      new Credentials(() -> Path.of("none")), Optional::empty);

  private static final class Stream extends ServerCallStreamObserver<SessionMessage> {
    private Status end;

    @Override
    public void onError(Throwable failure) {
      end = Status.fromThrowable(failure);
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public void onNext(SessionMessage message) {}

    @Override
    public void onCompleted() {}

    @Override
    public void setOnCancelHandler(Runnable handler) {}

    @Override
    public void setCompression(String compression) {}

    @Override
    public void setOnReadyHandler(Runnable handler) {}

    @Override
    public void request(int count) {}

    @Override
    public void setMessageCompression(boolean enable) {}

    @Override
    public void disableAutoInboundFlowControl() {}
  }

  private static ClusterState at(long revision, String session) {
    return ClusterState.empty().apply(revision, List.of(
        new ClusterState.Stored(Rows.cluster().path(), ClusterRow.newBuilder().setEpoch("e").build().toByteArray(), revision, revision),
        new ClusterState.Stored(Rows.NODE_SPEC.key("n1").path(), NodeSpecRow.newBuilder().setId("n1").build().toByteArray(), revision, revision),
        new ClusterState.Stored(
            Rows.SESSION.key("n1").path(), SessionRow.newBuilder().setSessionId(session).build().toByteArray(), revision, revision))).state();
  }

  private void open(String session, long revision) {
    sessions.open(new NodeSession(new SessionKey("n1", session), false, revision, stream), NOW);
  }

  @Test
  void aSessionThatWasReplacedBeforeItCameIsOver() {
    sessions.moved(at(5, "another"), List.of());
    open("late", 4);
    assertThat(stream.end.getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
    assertThat(sessions.find("n1", "late")).isEmpty();
  }

  @Test
  void aSessionStaysThatTheStateNames() {
    sessions.moved(at(5, "own"), List.of());
    open("own", 5);
    assertThat(stream.end).isNull();
    assertThat(sessions.find("n1", "own")).isPresent();
  }

  /** Also one of a node of which the state does not know yet. */
  @Test
  void aStateFromBeforeTheSessionSaysNothingAboutIt() {
    open("own", 5);
    assertThat(stream.end).isNull();
    assertThat(sessions.find("n1", "own")).isPresent();
  }
}
