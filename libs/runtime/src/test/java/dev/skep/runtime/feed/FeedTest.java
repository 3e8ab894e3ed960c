package dev.skep.runtime.feed;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.feed.v1.EdgeConfig;
import dev.skep.feed.v1.EdgeReport;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.state.FeedState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeedTest {
  @TempDir Path folder;

  /** What a component heard, in order. */
  private static final class Heard implements FeedClient.Listener {
    final BlockingQueue<FeedState> states = new LinkedBlockingQueue<>();
    final BlockingQueue<EdgeConfig> configs = new LinkedBlockingQueue<>();

    @Override
    public void feed(FeedState state, Set<String> changed) {
      states.add(state);
    }

    @Override
    public void config(EdgeConfig config) {
      configs.add(config);
    }
  }

  @Test
  void lateJoinersGetEverythingAndReportsComeBack() throws Exception {
    BlockingQueue<EdgeReport> reports = new LinkedBlockingQueue<>();
    Heard heard = new Heard();
    try (FeedServer server = new FeedServer(socket(), reports::add)) {
      server.start();
      server.publish(everything(1, "web"));
      server.publish(difference(2, 1, "db"));
      server.configure(EdgeConfig.newBuilder().setNodeId("n1").build());
      try (FeedClient client = new FeedClient(socket(), folder.resolve("feed"), "dns-discovery", heard)) {
        client.start();
        FeedState state = next(heard.states);
        while (state.revision() < 2) {
          state = next(heard.states);
        }
        assertThat(state.services()).extracting(ServiceEntry::getName).containsExactly("db", "web");
        client.report(EdgeReport.newBuilder().setComponent("dns-discovery").setEpoch("e").setAppliedRevision(2).build());
        assertThat(next(reports).getAppliedRevision()).isEqualTo(2);
        assertThat(server.appliedByAll("e")).hasValue(2);
        assertThat(server.appliedByAll("other")).hasValue(0);
        server.publish(difference(3, 2, "cache"));
        assertThat(next(heard.states).services()).hasSize(3);
      }
    }
  }

  @Test
  void aLostAgentChangesNothingAndTheFeedSurvivesOnDisk() throws Exception {
    Heard heard = new Heard();
    FeedServer first = new FeedServer(socket(), report -> {});
    first.start();
    first.publish(everything(7, "web"));
    FeedClient client = new FeedClient(socket(), folder.resolve("feed"), "ingress-lb", heard);
    client.start();
    assertThat(next(heard.states).revision()).isEqualTo(7);
    client.report(EdgeReport.newBuilder().setComponent("ingress-lb").setEpoch("e").setAppliedRevision(7).build());
    first.close();

    BlockingQueue<EdgeReport> reports = new LinkedBlockingQueue<>();
    try (FeedServer second = new FeedServer(socket(), reports::add)) {
      second.start();
      second.publish(everything(5, "older")); // a manager that lags behind what is known here
      assertThat(next(reports).getAppliedRevision()).isEqualTo(7);
      second.publish(everything(8, "newer"));
      assertThat(next(heard.states).services()).extracting(ServiceEntry::getName).containsExactly("newer");
    }
    client.close();

    Heard afterRestart = new Heard();
    try (FeedClient again = new FeedClient(socket(), folder.resolve("feed"), "ingress-lb", afterRestart)) {
      again.start();
      assertThat(afterRestart.states.poll().services()).extracting(ServiceEntry::getName).containsExactly("newer");
    }
  }

  @Test
  void aSuccessorMakesItsPredecessorDrain() throws Exception {
    BlockingQueue<EdgeReport> reports = new LinkedBlockingQueue<>();
    Heard old = new Heard();
    Heard fresh = new Heard();
    EdgeReport report = EdgeReport.newBuilder().setComponent("ingress-lb").setEpoch("e").setAppliedRevision(1).build();
    try (FeedServer server = new FeedServer(socket(), reports::add);
        FeedClient older = new FeedClient(socket(), folder.resolve("feed"), "ingress-lb", old);
        FeedClient newer = new FeedClient(socket(), folder.resolve("feed"), "ingress-lb", fresh)) {
      server.start();
      older.start();
      older.report(report);
      next(reports);
      assertThat(next(old.configs).getDrain()).isFalse();
      newer.start();
      newer.report(report.toBuilder().setAppliedRevision(0).build());
      next(reports);
      newer.report(report);
      next(reports);
      assertThat(next(old.configs).getDrain()).isTrue();
      assertThat(next(fresh.configs).getDrain()).isFalse();
    }
  }

  @Test
  void aDamagedFileCountsAsNone() throws IOException {
    Path file = folder.resolve("feed");
    FeedState state = ((FeedState.Outcome.Moved) FeedState.empty().apply(everything(3, "web"))).state();
    new FeedFile(file).write(state);
    assertThat(new FeedFile(file).read()).isEqualTo(state);
    byte[] bytes = Files.readAllBytes(file);
    for (int cut = 0; cut < bytes.length; cut++) {
      Files.write(file, java.util.Arrays.copyOf(bytes, cut));
      assertThat(new FeedFile(file).read().epoch()).isEmpty();
    }
  }

  private Path socket() {
    return folder.resolve("edge.sock");
  }

  private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
    T found = queue.poll(60, TimeUnit.SECONDS);
    assertThat(found).as("nothing came").isNotNull();
    return found;
  }

  private static FeedUpdate everything(long revision, String name) {
    return FeedUpdate.newBuilder().setEpoch("e").setRevision(revision).setComplete(true).addPut(service(name)).build();
  }

  private static FeedUpdate difference(long revision, long previous, String name) {
    return FeedUpdate.newBuilder().setEpoch("e").setRevision(revision).setPrevious(previous).addPut(service(name)).build();
  }

  private static FeedEntry service(String name) {
    return FeedEntry.newBuilder().setKey("service/" + name).setService(ServiceEntry.newBuilder().setId(name).setName(name)).build();
  }
}
