package dev.skep.runtime.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.backend.embedded.EmbeddedChangeLog;
import dev.skep.backend.embedded.SqliteStore;
import dev.skep.runtime.Metrics;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.SealedRow;
import dev.skep.state.v1.ServiceRow;
import io.prometheus.client.CollectorRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A view that follows the log, and the store where the log is late, has a hole, speaks of another cluster or is away. */
@Timeout(120)
class LogViewTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration LOOK = Duration.ofMillis(20);
  private static final String EPOCH = "e1";

  @TempDir
  private Path folder;

  private final CollectorRegistry registry = new CollectorRegistry();
  private final List<Thread> threads = new ArrayList<>();
  private SqliteStore store;
  private StoreView view;
  private volatile CountDownLatch gate = new CountDownLatch(0);
  private volatile boolean away;
  private volatile String epoch = EPOCH;
  private volatile long missing;
  private volatile long begins; // with a snapshot of that revision

  @BeforeEach
  void open() {
    store = SqliteStore.open(folder, (name, body) -> Thread.ofPlatform().daemon().name(name).start(body));
    put(Rows.cluster().path(), ClusterRow.newBuilder().setEpoch(EPOCH).build().toByteArray());
  }

  @AfterEach
  void close() throws InterruptedException {
    gate.countDown();
    view.close();
    for (Thread thread : threads) {
      thread.join();
    }
    store.close();
  }

  private void follow() {
    EmbeddedChangeLog whole = new EmbeddedChangeLog(store, () -> epoch, change -> change);
    Supplier<ChangeLog> log = () -> {
      if (away) {
        throw new StoreException("the log is away");
      }
      return new ChangeLog() {
        @Override
        public void append(Record record) {
          throw new AssertionError("views do not write");
        }

        @Override
        public Subscription read(long afterRevision, Reader reader) {
          if (begins > 0) {
            reader.at(epoch, begins);
          }
          return whole.read(afterRevision, record -> {
            await();
            if (record.revision() != missing) {
              reader.record(record);
            }
          });
        }

        @Override
        public long end() {
          return whole.end();
        }

        @Override
        public void close() {}
      };
    };
    view = new StoreView(store, log, new ViewMetrics(new Metrics(registry)));
    threads.add(Thread.ofPlatform().start(view));
    threads.add(Thread.ofPlatform().start(view.besides().orElseThrow()));
  }

  private void await() {
    try {
      gate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private long put(String key, byte[] value) {
    return ((Outcome.Committed) store.commit(new Transaction(List.of(), List.of(new Operation.Put(key, value))))).revision();
  }

  private ClusterState seen(String service) {
    return view.await(put(Rows.SERVICE.key(service).path(), ServiceRow.getDefaultInstance().toByteArray()), PATIENCE);
  }

  private double seconds(String source) {
    return registry.getSampleValue("skep_view_source_seconds_total", new String[] {"source"}, new String[] {source});
  }

  @Test
  void theLogIsEnough() {
    follow();
    for (int i = 0; i < 100; i++) {
      assertThat(seen("s" + i).has(Rows.SERVICE.key("s" + i))).isTrue();
    }
    assertThat(seconds("log")).isPositive();
  }

  @Test
  void whatALateLogDoesNotShowTheStoreDoes() {
    follow();
    seen("before");
    gate = new CountDownLatch(1);
    assertThat(seen("late").has(Rows.SERVICE.key("late"))).isTrue();
    seen("more");
    assertThat(seconds("log")).isPositive();
    gate.countDown();
    ClusterState state = seen("after");
    assertThat(state.size()).as("nothing is missing").isEqualTo(5);
  }

  @Test
  void aHoleInTheLogIsFilledFromTheStore() {
    follow();
    seen("before");
    missing = view.state().revision() + 1;
    seen("missing");
    assertThat(seen("after").size()).isEqualTo(4);
  }

  @Test
  void aLogOfAnotherEpochIsNotBelieved() {
    epoch = "e0";
    follow();
    assertThat(seen("a").size()).isEqualTo(2);
  }

  @Test
  void aLogThatIsAwayIsWaitedFor() {
    away = true;
    follow();
    assertThat(seen("a").size()).isEqualTo(2);
    away = false;
    assertThat(seen("b").size()).isEqualTo(3);
  }

  /** Nothing is written any more when the log comes: it has nothing to show, and is on time all the same. */
  @Test
  void aLogThatBeginsWhereTheViewIsIsNotLate() {
    away = true;
    follow();
    seen("a");
    begins = seen("b").revision();
    double before = seconds("log");
    away = false;
    while (seconds("log") <= before + 0.2) { // the test's own time-out bounds it
      LockSupport.parkNanos(LOOK.toNanos());
    }
    assertThat(view.state().revision()).isEqualTo(begins);
  }

  @Test
  void aLogThatBeginsAheadOfTheViewIsOnTimeWhenTheStoreHasBroughtTheRest() {
    gate = new CountDownLatch(1);
    begins = 3;
    follow();
    double before = seconds("log");
    seen("a");
    assertThat(seen("b").revision()).isEqualTo(begins);
    while (seconds("log") <= before + 1) { // more than passes until it is late
      LockSupport.parkNanos(LOOK.toNanos());
    }
    assertThat(view.state().size()).isEqualTo(3);
  }

  @Test
  void aLogThatBeginsBehindTheViewIsNotTakenForTheStore() {
    away = true;
    follow();
    long old = seen("a").revision();
    begins = old;
    away = false;
    assertThat(seen("b").size()).isEqualTo(3);
    assertThat(seen("c").size()).isEqualTo(4);
  }

  @Test
  void sealedRowsAreNotSeen() {
    put("sealed/object/early", SealedRow.getDefaultInstance().toByteArray());
    follow();
    long sealed = put("sealed/object/x", new byte[] {-1, -1});
    assertThat(view.await(sealed, PATIENCE).size()).isEqualTo(1);
    gate = new CountDownLatch(1);
    sealed = put("sealed/object/y", new byte[] {-1, -1});
    assertThat(view.await(sealed, PATIENCE).size()).as("from the store").isEqualTo(1);
  }
}
