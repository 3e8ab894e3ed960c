package dev.skep.ingress.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.feed.v1.EdgePort;
import dev.skep.ingress.FeedOf;
import dev.skep.ingress.IngressConfig;
import dev.skep.ingress.core.Routes;
import dev.skep.runtime.net.Handover;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

/** Whom a published port leads to, and when it is open. */
class IngressTest extends PublishedPortScene {
  @Test
  void inTurnExactlyOverAllLoopsUnderConcurrency() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults().withEventLoops(3));
    FeedOf feed = new FeedOf().service("web", "tcp", published, TARGET);
    for (int n = 1; n <= 3; n++) {
      task("127.0.1." + n, Task.named("task" + n));
      feed.task("web", n, "127.0.1." + n);
    }
    apply(ingress, feed);
    assertThat(List.of(ask(), ask(), ask(), ask(), ask(), ask())).containsExactly("task1", "task2", "task3", "task1", "task2", "task3");
    Map<String, Integer> seen = count(parallel(300, this::ask));
    assertThat(seen).isEqualTo(Map.of("task1", 100, "task2", 100, "task3", 100));
  }

  @Test
  void aTaskThatDoesNotAnswerIsSkippedUnnoticed() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    task("127.0.1.1", Task.named("task1"));
    task("127.0.1.3", Task.named("task3"));
    silent("127.0.1.4");
    apply(
        ingress,
        new FeedOf()
            .service("web", "tcp", published, TARGET)
            .task("web", 1, "127.0.1.1")
            .task("web", 2, "127.0.1.2") // nobody listens there
            .task("web", 3, "127.0.1.3")
            .task("web", 4, "127.0.1.4")); // and from here nothing ever comes back
    Map<String, Integer> seen = count(parallel(60, this::ask));
    assertThat(seen.keySet()).containsExactly("task1", "task3");
    assertThat(List.of(ask(), ask(), ask(), ask())).contains("task1", "task3");
  }

  @Test
  void nobodyThereMeansClosedAtOnceAndThePortStaysOpen() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1", false));
    assertThatThrownBy(this::askFailing).isInstanceOf(IOException.class);
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    assertThatThrownBy(this::askFailing).isInstanceOf(IOException.class);
    task("127.0.1.1", Task.named("task1"));
    assertThat(ask()).isEqualTo("task1");
    ingress.ports().apply(Routes.of(new FeedOf().state())).sync();
    assertThatThrownBy(this::ask).isInstanceOf(java.net.ConnectException.class);
  }

  @Test
  void aWithdrawnTaskKeepsItsConnectionsAndGetsNoNewOnes() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults());
    task(
        "127.0.1.1",
        (socket, in, out) -> {
          for (int c = in.read(); c >= 0; c = in.read()) {
            out.write(c);
          }
        });
    task("127.0.1.2", Task.named("task2"));
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    try (Socket socket = connect()) {
      socket.getOutputStream().write('a');
      assertThat(socket.getInputStream().read()).isEqualTo('a');
      apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1", false).task("web", 2, "127.0.1.2"));
      assertThat(List.of(ask(), ask(), ask())).containsOnly("task2");
      socket.getOutputStream().write('b');
      assertThat(socket.getInputStream().read()).isEqualTo('b');
      ingress.ports().apply(Routes.of(new FeedOf().state())).sync();
      socket.getOutputStream().write('c');
      assertThat(socket.getInputStream().read()).as("the port is gone, the connection is not").isEqualTo('c');
    }
  }

  @Test
  void connectionsAreBounded() throws Exception {
    Ingress ingress = ingress(IngressConfig.defaults().withLimits(5, 5));
    task("127.0.1.1", (socket, in, out) -> out.write(in.read()));
    apply(ingress, new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1"));
    List<Socket> held = new ArrayList<>();
    for (int n = 0; n < 5; n++) {
      held.add(connect());
    }
    assertThat(awaitOpen(ingress, 5)).isEqualTo(5);
    assertThatThrownBy(this::askFailing).isInstanceOf(IOException.class);
    for (Socket socket : held) {
      socket.getOutputStream().write('z');
      assertThat(socket.getInputStream().read()).isEqualTo('z');
      socket.close();
    }
    assertThat(awaitOpen(ingress, 0)).isZero();
    try (Socket socket = connect()) {
      socket.getOutputStream().write('z');
      assertThat(socket.getInputStream().read()).isEqualTo('z');
    }
  }

  @Test
  void aTakenPortIsReportedAndOpenedWhenFree() throws Exception {
    LinkedBlockingQueue<List<EdgePort>> problems = new LinkedBlockingQueue<>();
    Ingress[] self = new Ingress[1];
    Ingress ingress =
        new Ingress(IngressConfig.defaults(), Handover.take(folder), new CollectorRegistry(), () -> problems.add(self[0].ports().problems()));
    self[0] = ingress;
    open.add(() -> ingress.drain(false));
    task("127.0.1.1", Task.named("task1"));
    FeedOf feed =
        new FeedOf().service("web", "tcp", published, TARGET).service("sig", "sctp", 3868, 3868).task("web", 1, "127.0.1.1");
    try (ServerSocket other = new ServerSocket(published)) {
      apply(ingress, feed);
      assertThat(ingress.ports().problems()).extracting(EdgePort::getProtocol, EdgePort::getPort)
          .containsExactly(org.assertj.core.groups.Tuple.tuple("sctp", 3868), org.assertj.core.groups.Tuple.tuple("tcp", published));
      assertThat(ingress.ports().problems().get(0).getProblem()).contains("sctp").contains("mode=host");
      assertThat(ingress.ports().problems().get(1).getProblem()).contains("already in use");
      assertThat(other.isBound()).isTrue();
    }
    List<EdgePort> last = problems.take();
    while (last.size() > 1) {
      last = problems.take();
    }
    assertThat(ask()).isEqualTo("task1");
  }

  @Test
  void aSuccessorTakesOverWithoutARefusedConnection() throws Exception {
    Ingress first = ingress(IngressConfig.defaults().withDrain(Duration.ofSeconds(20)));
    task("127.0.1.1", Task.named("task1"));
    FeedOf feed = new FeedOf().service("web", "tcp", published, TARGET).task("web", 1, "127.0.1.1");
    apply(first, feed);
    CountDownLatch half = new CountDownLatch(1_000);
    ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    List<Future<Integer>> lost = new ArrayList<>();
    for (int c = 0; c < 4; c++) {
      lost.add(
          clients.submit(
              () -> {
                int failed = 0;
                for (int n = 0; n < 1_000; n++) {
                  try {
                    failed += ask().equals("task1") ? 0 : 1;
                  } catch (IOException refused) {
                    failed++;
                  }
                  half.countDown();
                }
                return failed;
              }));
    }
    half.await();
    Ingress second = ingress(IngressConfig.defaults());
    apply(second, feed);
    assertThat(second.ports().problems()).isEmpty();
    first.drain(true);
    int failed = 0;
    for (Future<Integer> one : lost) {
      failed += one.get();
    }
    clients.close();
    assertThat(failed).isZero();
    assertThat(ask()).isEqualTo("task1");
  }
}
