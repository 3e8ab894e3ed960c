package dev.skep.agent.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import java.net.ConnectException;
import java.time.Instant;
import java.util.Optional;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;

class SessionProblemTest {
  private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");

  @Test
  void aConnectionThatFailsNamesItsReason() {
    Status why = Status.UNAVAILABLE.withDescription("io exception").withCause(new ConnectException("Connection refused: /192.0.2.1:2377"));
    assertThat(SessionProblem.text(why, Optional.empty(), NOW)).isEqualTo("io exception: Connection refused: /192.0.2.1:2377");
    assertThat(SessionProblem.text(Status.PERMISSION_DENIED.withDescription("this node was removed"), Optional.empty(), NOW)).isEqualTo("this node was removed");
  }

  @Test
  void certificatesThatAreNotAcceptedSayWhatToDo() {
    Status why = Status.UNAVAILABLE.withDescription("io exception").withCause(new IllegalStateException(new SSLHandshakeException("PKIX path validation failed")));
    assertThat(SessionProblem.text(why, Optional.empty(), NOW)).contains("root was rotated").contains("docker swarm leave").endsWith("PKIX path validation failed");
  }
}
