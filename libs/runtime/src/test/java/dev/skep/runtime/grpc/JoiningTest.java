package dev.skep.runtime.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.runtime.identity.JoinToken;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.SecureRandom;
import java.time.Clock;
import org.junit.jupiter.api.Test;

class JoiningTest {
  private final SecureRandom random = new SecureRandom();

  /** As when the manager goes away between the first knock and the first call. */
  @Test
  void aCallThatFindsNobodySaysWhatTheKnockWouldHaveSaid() throws Exception {
    try (Socket deaf = new Socket()) { // has the port, and does not listen
      deaf.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      InetSocketAddress nobody = new InetSocketAddress("127.0.0.1", deaf.getLocalPort());
      JoinToken token = JoinToken.fresh("a root", random);
      assertThat(new Joining(Clock.systemUTC(), random).joined(nobody, token, "", "127.0.0.1"))
          .isEqualTo(new Joining(Clock.systemUTC(), random).join("127.0.0.1:" + deaf.getLocalPort(), token, ""))
          .isEqualTo(new Joining.Outcome.Refused(Status.Code.UNAVAILABLE,
              "connection error: desc = \"transport: Error while dialing dial tcp 127.0.0.1:" + deaf.getLocalPort() + ": connect: connection refused\""));
    }
  }
}
