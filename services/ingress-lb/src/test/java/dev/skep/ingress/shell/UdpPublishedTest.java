package dev.skep.ingress.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.ingress.FeedOf;
import dev.skep.ingress.FreePort;
import dev.skep.ingress.IngressConfig;
import dev.skep.ingress.core.Routes;
import dev.skep.runtime.net.Handover;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UdpPublishedTest {
  private static final int TARGET = FreePort.find();

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private int published;

  @BeforeEach
  void pickPort() {
    published = FreePort.find();
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  @Test
  void flowsTakeTurnsStayAndLeaveWithTheirTask() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    task("127.0.1.1");
    task("127.0.1.2");
    apply(ingress, both());
    DatagramSocket one = client();
    DatagramSocket two = client();
    assertThat(ask(one, "127.0.0.1")).isEqualTo("127.0.1.1");
    assertThat(ask(two, "127.0.0.1")).isEqualTo("127.0.1.2");
    assertThat(List.of(ask(one, "127.0.0.1"), ask(one, "127.0.0.1"))).containsOnly("127.0.1.1");
    assertThat(ask(one, "127.5.5.5")).as("another address is another flow; the answer comes from there").isEqualTo("127.0.1.1");
    apply(ingress, new FeedOf().service("dns", "udp", published, TARGET).task("dns", 1, "127.0.1.1", false).task("dns", 2, "127.0.1.2"));
    assertThat(ask(one, "127.0.0.1")).as("a withdrawn task loses its flow").isEqualTo("127.0.1.2");
  }

  @Test
  void clientsMayComeOverIpv6() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    task("127.0.1.1");
    apply(ingress, both());
    assertThat(ask(client(), "::1")).isEqualTo("127.0.1.1");
    apply(ingress, new FeedOf());
    assertThat(ingress.openFlows()).isZero();
    new DatagramSocket(published, InetAddress.getByName("::1")).close();
  }

  @Test
  void bigDatagramsPass() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    task("127.0.1.1");
    apply(ingress, new FeedOf().service("dns", "udp", published, TARGET).task("dns", 1, "127.0.1.1"));
    DatagramSocket client = client();
    byte[] big = new byte[60_000];
    client.send(new DatagramPacket(big, big.length, new InetSocketAddress("127.0.0.1", published)));
    DatagramPacket answer = new DatagramPacket(new byte[65_000], 65_000);
    client.receive(answer);
    assertThat(answer.getLength()).isEqualTo(60_009);
  }

  @Test
  void aTaskThatIsNotThereIsLeft() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    task("127.0.1.2");
    apply(ingress, both());
    DatagramSocket client = client();
    client.setSoTimeout(300);
    String answer = "";
    for (int n = 0; n < 50 && answer.isEmpty(); n++) {
      try {
        answer = ask(client, "127.0.0.1");
      } catch (java.net.SocketTimeoutException firstGoesToTheDeadOne) {
        continue;
      }
    }
    assertThat(answer).isEqualTo("127.0.1.2");
  }

  @Test
  void flowsAreBoundedAndExpire() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults().withLimits(10, 3).withFlowIdle(Duration.ofSeconds(1)));
    task("127.0.1.1");
    task("127.0.1.2");
    apply(ingress, both());
    List<String> seen = new ArrayList<>();
    for (int n = 0; n < 20; n++) {
      seen.add(ask(client(), "127.0.0.1"));
      assertThat(ingress.openFlows()).isLessThanOrEqualTo(3);
    }
    assertThat(seen).containsOnly("127.0.1.1", "127.0.1.2");
    while (ingress.openFlows() > 0) {
      Thread.onSpinWait();
    }
  }

  private FeedOf both() {
    return new FeedOf().service("dns", "udp", published, TARGET).task("dns", 1, "127.0.1.1").task("dns", 2, "127.0.1.2");
  }

  private Ingress ingress(IngressConfig config) throws IOException {
    Ingress ingress = new Ingress(config.withDrain(Duration.ofMillis(100)), Handover.take(folder), new CollectorRegistry(), () -> {});
    open.add(() -> ingress.drain(false));
    return ingress;
  }

  private static void apply(Ingress ingress, FeedOf feed) throws InterruptedException {
    ingress.ports().apply(Routes.of(feed.state())).sync();
  }

  private DatagramSocket client() throws IOException {
    DatagramSocket client = new DatagramSocket(0, InetAddress.getByName("::"));
    client.setSoTimeout(20_000);
    open.add(client);
    return client;
  }

  private String ask(DatagramSocket client, String address) throws IOException {
    InetSocketAddress asked = new InetSocketAddress(address, published);
    client.send(new DatagramPacket(new byte[] {'?'}, 1, asked));
    DatagramPacket answer = new DatagramPacket(new byte[100], 100);
    client.receive(answer);
    assertThat(answer.getSocketAddress()).isEqualTo(asked);
    return new String(answer.getData(), 0, answer.getLength() - 1);
  }

  /** Answers with its address and what it got. */
  private void task(String address) throws IOException {
    DatagramSocket socket = new DatagramSocket(TARGET, InetAddress.getByName(address));
    Thread serving =
        Thread.ofVirtual().start(
            () -> {
              DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
              while (true) {
                try {
                  socket.receive(packet);
                  byte[] text = address.getBytes();
                  byte[] answer = java.util.Arrays.copyOf(text, text.length + packet.getLength());
                  socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
                  packet.setLength(65_535);
                } catch (IOException closed) {
                  return;
                }
              }
            });
    open.add(
        () -> {
          socket.close();
          serving.join(); // the address is free only when nobody reads there any more
        });
  }
}
