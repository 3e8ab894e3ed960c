package dev.skep.agent.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An engine that takes calls and does not answer them. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class EngineCallsTest {
  @Test
  void aCallThatHangsIsKnownUntilItEnds(@TempDir Path folder) throws Exception {
    Path socket = folder.resolve("engine.sock");
    try (ServerSocketChannel silent = ServerSocketChannel.open(StandardProtocolFamily.UNIX); Engine engine = new Engine(socket)) {
      silent.bind(UnixDomainSocketAddress.of(socket));
      assertThat(engine.calls().hanging(Duration.ZERO)).isEmpty();
      CompletableFuture<Object> answer = CompletableFuture.supplyAsync(() -> {
        try {
          return engine.get("/info");
        } catch (EngineException e) {
          throw new IllegalStateException(e);
        }
      });
      try (SocketChannel call = silent.accept()) {
        assertThat(call.isConnected()).isTrue();
        assertThat(engine.calls().hanging(Duration.ZERO)).hasValueSatisfying(hanging -> assertThat(hanging).asString().startsWith("GET /version for "));
        assertThat(engine.calls().hanging(Duration.ofHours(1))).isEmpty();
        Files.delete(socket); // or the call would be sent again, and hang again
      }
      assertThatThrownBy(answer::get).isInstanceOf(ExecutionException.class).hasRootCauseInstanceOf(Exception.class);
      assertThat(engine.calls().hanging(Duration.ZERO)).isEmpty();
    }
  }

  @Test
  void aContainerMayTakeItsTimeToStop() {
    EngineCalls calls = new EngineCalls();
    calls.begun("POST", "/containers/c1/stop?t=3600");
    assertThat(calls.hanging(Duration.ZERO)).isEmpty();
    EngineCalls.Waiting remove = calls.begun("DELETE", "/containers/c1?force=true");
    assertThat(calls.hanging(Duration.ZERO)).containsSame(remove);
    calls.answered(remove);
    assertThat(calls.hanging(Duration.ZERO)).isEmpty();
  }
}
