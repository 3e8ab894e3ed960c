package dev.skep.dns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.dns.core.Messages;
import dev.skep.feed.v1.EdgeConfig;
import dev.skep.feed.v1.EdgeReport;
import dev.skep.runtime.feed.FeedServer;
import dev.skep.runtime.host.EdgeHost;
import dev.skep.runtime.host.HostBuilder;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DnsComponentTest {
  @TempDir Path folder;

  @Test
  void followsTheFeedOutlivesTheAgentAndHandsOver() throws Exception {
    BlockingQueue<EdgeReport> reports = new LinkedBlockingQueue<>();
    FeedServer agent = new FeedServer(folder.resolve("run").resolve(FeedServer.SOCKET), reports::add);
    Files.createDirectories(folder.resolve("run"));
    agent.start();
    agent.configure(EdgeConfig.newBuilder().addUpstreamDns("192.0.2.53").build());
    agent.publish(
        new FeedOf()
            .with(FeedOf.network("net", "127.0.0.0/16", false, false))
            .with(FeedOf.service("web", "vip", FeedOf.on("net", "127.0.1.2")))
            .with(FeedOf.task("web", 1, true, List.of(), "net", "127.0.1.11"))
            .state()
            .toUpdate());
    int port;
    try (EdgeHost first = host()) {
      EdgeReport report = at(reports, 1);
      port = report.getDnsPort();
      assertThat(report.getComponent()).isEqualTo("dns-discovery");
      assertThat(ask(port)).isEqualTo("127.0.1.2");
      DnsComponent successor = new DnsComponent(DnsConfig.defaults());
      try (EdgeHost second = host(successor)) {
        while (agent.connected().size() != 1 || agent.connected().getFirst().getAppliedRevision() != 1) {
          Thread.onSpinWait();
        }
        assertThat(at(reports, 1).getDnsPort()).isEqualTo(port);
        assertThat(firstComponent.drained().toCompletableFuture().get(20, TimeUnit.SECONDS)).isNull();
        assertThat(ask(port)).isEqualTo("127.0.1.2");
        assertThat(second.ready()).isTrue();
      }
      assertThat(first.ready()).isTrue();
    }
    agent.close();
    try (EdgeHost alone = host()) {
      assertThat(alone.ready()).isTrue();
      assertThat(firstComponent.port()).isEqualTo(port);
      assertThat(ask(port)).as("without any agent").isEqualTo("127.0.1.2");
      assertThat(Files.readAllLines(folder.resolve("data/dns-discovery/upstreams"))).containsExactly("192.0.2.53");
    }
  }

  private DnsComponent firstComponent;

  private EdgeHost host() throws Exception {
    firstComponent = new DnsComponent(DnsConfig.defaults());
    return host(firstComponent);
  }

  private EdgeHost host(DnsComponent component) throws Exception {
    return HostBuilder.named("edge")
        .data(folder.resolve("data"))
        .run(folder.resolve("run"))
        .onFatal((what, cause) -> cause.printStackTrace())
        .component(component)
        .startEdge();
  }

  private static EdgeReport at(BlockingQueue<EdgeReport> reports, long revision) throws InterruptedException {
    EdgeReport report = reports.poll(20, TimeUnit.SECONDS);
    while (report != null && report.getAppliedRevision() != revision) {
      report = reports.poll(20, TimeUnit.SECONDS);
    }
    assertThat(report).as("no report at " + revision).isNotNull();
    return report;
  }

  private static String ask(int port) throws Exception {
    try (DatagramSocket client = new DatagramSocket(0, InetAddress.getByName("127.0.1.11"))) {
      client.setSoTimeout(20_000);
      byte[] question = Messages.question(1, "web", 1);
      DatagramPacket answer = new DatagramPacket(new byte[512], 512);
      for (int n = 0; n < 3; n++) {
        client.send(new DatagramPacket(question, question.length, new InetSocketAddress("127.0.0.1", port)));
        try {
          client.receive(answer);
          return Messages.read(answer.getData(), answer.getLength()).data().getFirst();
        } catch (java.net.SocketTimeoutException lostInTheHandover) {
          continue; // as a resolver does
        }
      }
      throw new AssertionError("no answer");
    }
  }
}
