package dev.skep.ingress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.feed.v1.EdgeReport;
import dev.skep.runtime.feed.FeedServer;
import dev.skep.runtime.host.EdgeHost;
import dev.skep.runtime.host.HostBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IngressComponentTest {
  @TempDir Path folder;

  @Test
  void followsTheFeedOutlivesTheAgentAndHandsOver() throws Exception {
    int published = FreePort.find();
    int target = FreePort.find();
    Files.createDirectories(folder.resolve("run"));
    BlockingQueue<EdgeReport> reports = new LinkedBlockingQueue<>();
    FeedServer agent = new FeedServer(folder.resolve("run").resolve(FeedServer.SOCKET), reports::add);
    agent.start();
    try (ServerSocket task = new ServerSocket()) {
      task.bind(new InetSocketAddress("127.0.1.77", target));
      Thread.ofVirtual().start(() -> echo(task));
      IngressComponent first = new IngressComponent(IngressConfig.defaults());
      IngressComponent second = new IngressComponent(IngressConfig.defaults());
      try (EdgeHost old = host(first)) {
        agent.publish(new FeedOf().revision(5).service("web", "tcp", published, target).task("web", 1, "127.0.1.77").update());
        awaitApplied(reports, 5);
        try (Socket held = new Socket(InetAddress.getByName("127.0.0.1"), published)) {
          assertThat(answers(held)).isTrue();
          try (EdgeHost fresh = host(second)) {
            awaitApplied(reports, 5);
            try (Socket later = new Socket(InetAddress.getByName("127.0.0.1"), published)) {
              assertThat(answers(later)).isTrue();
            }
            assertThat(answers(held)).as("what was open stays open while its process drains").isTrue();
            assertThat(first.drained().toCompletableFuture().isDone()).isFalse();
            held.shutdownOutput(); // the task answers that with its own end
            assertThat(held.getInputStream().read()).isEqualTo(-1);
            first.drained().toCompletableFuture().get(20, TimeUnit.SECONDS);
            assertThat(fresh.ready()).isTrue();
          }
        }
        assertThat(old.ready()).isTrue();
      }
      agent.close();
      try (EdgeHost alone = host(new IngressComponent(IngressConfig.defaults()));
          Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), published)) {
        assertThat(alone.ready()).isTrue();
        assertThat(answers(socket)).as("without any agent").isTrue();
      }
    }
  }

  private EdgeHost host(IngressComponent component) throws Exception {
    return HostBuilder.named("edge")
        .data(folder.resolve("data"))
        .run(folder.resolve("run"))
        .onFatal((what, cause) -> cause.printStackTrace())
        .component(component)
        .startEdge();
  }

  private static void awaitApplied(BlockingQueue<EdgeReport> reports, long revision) throws InterruptedException {
    EdgeReport report = reports.poll(20, TimeUnit.SECONDS);
    while (report != null && report.getAppliedRevision() != revision) {
      report = reports.poll(20, TimeUnit.SECONDS);
    }
    assertThat(report).as("no report at " + revision).isNotNull();
    assertThat(report.getPortsList()).isEmpty();
  }

  private static boolean answers(Socket socket) throws IOException {
    socket.setSoTimeout(10_000);
    socket.getOutputStream().write('q');
    return socket.getInputStream().read() == 'q';
  }

  private static void echo(ServerSocket task) {
    while (true) {
      try {
        Socket socket = task.accept();
        Thread.ofVirtual().start(() -> {
          try (socket) {
            for (int c = socket.getInputStream().read(); c >= 0; c = socket.getInputStream().read()) {
              socket.getOutputStream().write(c);
            }
          } catch (IOException ended) {
            return;
          }
        });
      } catch (IOException closed) {
        return;
      }
    }
  }
}
