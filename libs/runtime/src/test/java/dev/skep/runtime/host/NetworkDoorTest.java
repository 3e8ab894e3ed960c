package dev.skep.runtime.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.runtime.Membership.Identity;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** When the network door is open. */
@Timeout(60)
class NetworkDoorTest {
  @TempDir Path folder;

  private ProcessHost host() throws Exception {
    return HostBuilder.named("test").data(folder.resolve("data")).onFatal((what, cause) -> {
      throw new AssertionError(what, cause);
    }).startProcess("embedded:" + folder.resolve("store"));
  }

  private static boolean answers(String address) {
    String[] parts = address.split(":");
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(parts[0], Integer.parseInt(parts[1])));
      return true;
    } catch (IOException _) { // nobody listens there
      return false;
    }
  }

  private static Identity member(String listen, boolean manager) {
    return new Identity("c1", "n1", manager, "127.0.0.1", "127.0.0.1", listen, List.of(listen));
  }

  @Test
  void aPortThatCannotBeHadIsToldInDockersWords() throws Exception {
    try (ProcessHost host = host(); ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String taken = "127.0.0.1:" + other.getLocalPort();
      assertThatThrownBy(() -> host.door().open(taken)).hasMessage("listen tcp " + taken + ": bind: address already in use");
      assertThatThrownBy(() -> host.door().open("192.0.2.1:2377"))
          .hasMessage("listen tcp 192.0.2.1:2377: bind: cannot assign requested address");
    }
  }

  @Test
  void thePortIsFreeWhenTheDoorIsClosed() throws Exception {
    try (ProcessHost host = host()) {
      String address = host.door().open("127.0.0.1:0");
      InetSocketAddress port = new InetSocketAddress("127.0.0.1", Integer.parseInt(address.split(":")[1]));
      for (int i = 0; i < 50; i++) {
        host.door().open(address);
        host.door().close();
        try (ServerSocket next = new ServerSocket()) {
          next.bind(port);
        }
      }
    }
  }

  @Test
  void itIsOpenWhileTheHostIsAManagersAndComesBackWithIt() throws Exception {
    String address;
    try (ProcessHost host = host()) {
      address = host.door().open("127.0.0.1:0");
      assertThat(host.door().open(address)).as("open already").isEqualTo(address);
      host.membership().become(member(address, true));
      assertThat(answers(address)).isTrue();
    }
    assertThat(answers(address)).isFalse();
    try (ProcessHost host = host()) {
      assertThat(answers(address)).as("after a restart").isTrue();
      host.membership().leave();
      assertThat(answers(address)).isFalse();
      host.membership().become(member(address, false));
      assertThat(answers(address)).as("of a worker").isFalse();
    }
  }
}
