package dev.skep.relay.shell;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.skep.backend.Access;
import dev.skep.relay.Relay;
import dev.skep.relay.RelayConfig;
import dev.skep.state.LogValue;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.NodeSpecRow;
import dev.skep.state.v1.SealedRow;
import dev.skep.testkit.TestHost;
import dev.skep.testkit.kafka.KafkaServer;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The component on a real store and a real broker. */
@Tag("slow")
class RelayTest {
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static KafkaServer server;

  @TempDir
  private Path folder;

  private String log;
  private int rows;

  @BeforeAll
  static void startServer() {
    server = KafkaServer.start();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @BeforeEach
  void freshTopic() {
    log = server.uri("relay-" + COUNT.incrementAndGet());
  }

  private TestHost host(String name) {
    return host(name, RelayConfig.defaults(log));
  }

  private TestHost host(String name, RelayConfig config) {
    return TestHost.start(folder.resolve(name), Clock.systemUTC(), new Relay(config));
  }

  private static void init(TestHost host, String epoch) {
    host.put(Rows.cluster(), ClusterRow.newBuilder().setId("c").setEpoch(epoch).build());
  }

  private void write(TestHost host, int count) {
    for (int i = 0; i < count; i++) {
      host.put(Rows.NODE_SPEC.key("n" + rows++ % 20), NodeSpecRow.newBuilder().setId("n" + rows).build());
    }
  }

  private ReplayMain.Report replay(String name, long to, boolean whole) {
    return ReplayMain.replay(
        new ReplayMain.Place("embedded:" + folder.resolve(name).resolve("store"), Access.PLAIN), new ReplayMain.Place(log, Access.PLAIN), to, whole);
  }

  @Test
  void everyRevisionIsARecordAndReplayEqualsTheStore() throws Exception {
    try (TestHost host = host("a"); LogReading reading = new LogReading(log, () -> "e")) {
      init(host, "e");
      reading.await(host.store().revision()); // the log begins with a snapshot
      write(host, 100);
      reading.await(host.store().revision());
      assertThat(reading.revisions()).doesNotHaveDuplicates().isSorted().hasSizeGreaterThanOrEqualTo(100);
      ReplayMain.Report report = replay("a", Long.MAX_VALUE, true);
      assertThat(report.text()).contains("holes   none", "the same at revision " + host.store().revision());
      assertThat(report.status()).isZero();
      assertThat(replay("a", host.store().revision() - 30, false).text()).contains("the same at revision " + (host.store().revision() - 30));
      assertThat(host.metrics().registry().getSampleValue("skep_relay_leading")).isEqualTo(1);
    }
  }

  @Test
  void theEmbeddedLogIsReplayedWhileItsOwnerRuns() {
    try (TestHost host = host("a", RelayConfig.defaults("embedded:/nowhere"))) {
      init(host, "e");
      write(host, 30);
      log = "embedded:" + folder.resolve("a").resolve("store");
      ReplayMain.Report report = replay("a", Long.MAX_VALUE, false);
      assertThat(report.text()).contains("holes   none", "the same at revision " + host.store().revision());
      assertThat(replay("a", 12, false).text()).contains("the same at revision 12");
      assertThat(host.metrics().registry().getSampleValue("skep_relay_leading")).isNull(); // there is nothing to relay
    }
  }

  @Test
  void aBrokerThatIsAwayHoldsUpNobodyAndTheRelayCatchesUp() throws Exception {
    try (TestHost host = host("a"); LogReading reading = new LogReading(log, () -> "e")) {
      init(host, "e");
      write(host, 10);
      reading.await(host.store().revision());
      server.kill();
      write(host, 300);
      server.restart();
      write(host, 10);
      reading.await(host.store().revision());
      assertThat(reading.revisions()).doesNotHaveDuplicates().isSorted();
      assertThat(replay("a", Long.MAX_VALUE, true).text()).contains("holes   none", "the same at revision " + host.store().revision());
    }
  }

  @Test
  void whatTheStoreForgotMeanwhileIsAHoleThatReplayPrints() throws Exception {
    RelayConfig config = RelayConfig.defaults(log)
        .withHistory(Duration.ofMillis(50), Duration.ofMillis(100), Duration.ofMillis(20), Duration.ofDays(1));
    try (TestHost host = host("a", config); LogReading reading = new LogReading(log, () -> "e")) {
      init(host, "e");
      write(host, 5);
      reading.await(host.store().revision());
      server.kill();
      // until the store has forgotten something that the log does not have
      double forgotten = host.store().revision();
      while (host.metrics().registry().getSampleValue("skep_relay_compacted_revision") <= forgotten) {
        write(host, 20);
      }
      server.restart();
      write(host, 1);
      reading.await(host.store().revision());
      ReplayMain.Report report = replay("a", Long.MAX_VALUE, true);
      assertThat(report.text()).contains("hole    revisions ", "the store forgot them", "the same at revision " + host.store().revision());
      assertThat(report.status()).isEqualTo(1);
      assertThat(host.metrics().registry().getSampleValue("skep_relay_resets_total", new String[] {"reason"}, new String[] {"compacted"}))
          .isEqualTo(1);
    }
  }

  @Test
  void secretsAreDigestsInTheLog() throws Exception {
    SealedRow row = SealedRow.newBuilder().setCiphertext(ByteString.copyFromUtf8("do-not-show-this")).build();
    try (TestHost host = host("a"); LogReading reading = new LogReading(log, () -> "e")) {
      host.put(Rows.SEALED.key("early"), row);
      init(host, "e");
      reading.await(host.store().revision());
      host.put(Rows.SEALED.key("late"), row);
      reading.await(host.store().revision());
      assertThat(RawTopic.bytes(server, log)).doesNotContain("do-not-show-this");
      assertThat(LogValue.of(Rows.SEALED.key("late").path(), row.toByteArray())).hasSize(32);
      assertThat(replay("a", Long.MAX_VALUE, false).text()).contains("the same at revision");
    }
  }

  @Test
  void aRestoredClusterGoesOnInTheSameTopicAndTheOldOneDoesNot() throws Exception {
    TestHost old = host("a");
    try (LogReading reading = new LogReading(log, () -> "old")) {
      init(old, "old");
      write(old, 200);
      reading.await(old.store().revision());
    } finally {
      old.stop(); // and keeps its folder
    }
    try (TestHost host = host("b"); LogReading reading = new LogReading(log, () -> "new")) {
      init(host, "new");
      write(host, 20);
      reading.await(host.store().revision());
      ReplayMain.Report report = replay("b", Long.MAX_VALUE, true);
      assertThat(report.text()).contains("epoch old ends at revision", "holes   none", "the same at revision " + host.store().revision());
      assertThat(report.status()).isZero();
      int before = reading.revisions().size();
      try (TestHost stale = host("a")) {
        while (failures(stale, "claim") < 3) {
          write(stale, 1); // until it was refused some times
        }
        assertThat(reading.revisions()).hasSize(before);
      }
      write(host, 5);
      reading.await(host.store().revision());
      assertThat(replay("b", Long.MAX_VALUE, true).text()).contains("the same at revision " + host.store().revision());
      assertThat(failures(host, "fenced")).isZero();
    }
  }

  private static double failures(TestHost host, String what) {
    Double value = host.metrics().registry().getSampleValue("skep_relay_failures_total", new String[] {"what"}, new String[] {what});
    return value == null ? 0 : value;
  }

  @Test
  void aRelayThatStartsAgainGoesOnWhereTheLogEnds() throws Exception {
    for (int life = 0; life < 3; life++) {
      TestHost host = host("a");
      try (LogReading reading = new LogReading(log, () -> "e")) {
        if (life == 0) {
          init(host, "e");
        }
        write(host, 15);
        reading.await(host.store().revision());
        assertThat(reading.revisions()).doesNotHaveDuplicates().isSorted();
        assertThat(replay("a", Long.MAX_VALUE, true).text()).contains("holes   none", "the same at revision " + host.store().revision());
      } finally {
        if (life < 2) {
          host.stop();
        } else {
          host.close();
        }
      }
    }
  }
}
