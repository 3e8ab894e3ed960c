package dev.skep.relay.shell;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.embedded.SqliteStore;
import dev.skep.relay.core.RelayCore;
import dev.skep.relay.core.Rules;
import dev.skep.runtime.Metrics;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.testkit.kafka.KafkaServer;
import io.prometheus.client.CollectorRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A relay stands still with a batch in its hands, another takes over, and then the first one goes on. */
@Tag("slow")
class FrozenRelayTest {
  @TempDir
  private Path folder;

  private Store store;
  private volatile String leader = "";

  /** A relay without a process. */
  private final class One implements Lead, AutoCloseable {
    private final String name;
    private final CountDownLatch refused = new CountDownLatch(1);
    private final CollectorRegistry figures = new CollectorRegistry();
    private final RelayWork work;
    private volatile boolean believes;

    private One(String name, LogWriter writer) {
      this.name = name;
      this.work = new RelayWork(new RelayCore(Rules.defaults()), store, writer, this, () -> store.revision(), Clock.systemUTC(),
          new RelayMetrics(new Metrics(figures)));
      LogReading.thread("relay-" + name, work);
    }

    private void lead() {
      leader = name;
      believes = true;
      work.wake();
    }

    @Override
    public boolean held() {
      return believes;
    }

    @Override
    public boolean confirmed(Store asked) {
      believes = leader.equals(name);
      if (!believes) {
        refused.countDown();
      }
      return believes;
    }

    @Override
    public void close() {
      work.close();
    }
  }

  /** A writer that can be held before it appends. */
  private static final class Gate implements LogWriter {
    private final LogWriter writer;
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch open = new CountDownLatch(1);
    private volatile boolean shut;

    private Gate(LogWriter writer) {
      this.writer = writer;
    }

    @Override
    public End claim(String epoch) {
      return writer.claim(epoch);
    }

    @Override
    public End append(List<LogEntry> entries) {
      if (shut) {
        reached.countDown();
        try {
          assertThat(open.await(120, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
      return writer.append(entries);
    }

    @Override
    public void close() {
      writer.close();
    }
  }

  private long write(int count) {
    for (int i = 0; i < count; i++) {
      store.commit(new Store.Transaction(List.of(), List.of(new Operation.Put("state/k" + i, new byte[] {(byte) i}))));
    }
    return store.revision();
  }

  @Test
  void whatItHeldIsAppendedOnceByTheOther() throws Exception {
    try (KafkaServer server = KafkaServer.start(); Store opened = SqliteStore.open(folder, LogReading::thread)) {
      store = opened;
      String log = server.uri("frozen");
      store.commit(new Store.Transaction(List.of(),
          List.of(new Operation.Put(Rows.cluster().path(), ClusterRow.newBuilder().setEpoch("e").build().toByteArray()))));
      Gate gate = new Gate(Backends.writer(log, Access.PLAIN));
      try (LogReading reading = new LogReading(log, () -> "e"); One first = new One("first", gate);
          One second = new One("second", Backends.writer(log, Access.PLAIN))) {
        first.lead();
        reading.await(write(1)); // the log begins
        reading.await(write(1));
        gate.shut = true;
        write(10);
        assertThat(gate.reached.await(60, TimeUnit.SECONDS)).isTrue(); // it stands still
        second.lead();
        reading.await(write(10));
        gate.open.countDown(); // it goes on, and believes to lead
        assertThat(first.refused.await(60, TimeUnit.SECONDS)).isTrue();
        reading.await(write(10));
        assertThat(reading.revisions()).doesNotHaveDuplicates().isSorted();
        assertThat(first.figures.getSampleValue("skep_relay_failures_total", new String[] {"what"}, new String[] {"fenced"})).isEqualTo(1);
        assertThat(second.figures.getSampleValue("skep_relay_failures_total", new String[] {"what"}, new String[] {"fenced"})).isNull();
        ReplayMain.Report report =
            ReplayMain.replay(new ReplayMain.Place("embedded:" + folder, Access.PLAIN), new ReplayMain.Place(log, Access.PLAIN), Long.MAX_VALUE, true);
        assertThat(report.text()).contains("holes   none", "the same at revision " + store.revision());
      }
    }
  }
}
