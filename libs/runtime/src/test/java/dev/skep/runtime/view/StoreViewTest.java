package dev.skep.runtime.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.backend.embedded.SqliteStore;
import dev.skep.runtime.View;
import dev.skep.state.Rows;
import dev.skep.state.v1.ServiceRow;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreViewTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @TempDir
  private Path folder;

  private SqliteStore store;
  private StoreView view;
  private Thread thread;

  @BeforeEach
  void open() {
    store = SqliteStore.open(folder, (name, body) -> Thread.ofPlatform().daemon().name(name).start(body));
    put("before");
    view = new StoreView(store);
    thread = Thread.ofPlatform().name("view").start(view);
  }

  @AfterEach
  void close() throws InterruptedException {
    view.close();
    thread.join();
    store.close();
  }

  private long put(String id) {
    return ((Outcome.Committed) store.commit(new Transaction(List.of(),
        List.of(new Operation.Put(Rows.SERVICE.key(id).path(), ServiceRow.getDefaultInstance().toByteArray()))))).revision();
  }

  private record Seen(long revision, int rows, int changes, boolean reset) {}

  private static View.Listener into(BlockingQueue<Seen> seen) {
    return (state, changes, reset) -> seen.add(new Seen(state.revision(), state.size(), changes.size(), reset));
  }

  private static Seen next(BlockingQueue<Seen> seen) throws InterruptedException {
    Seen next = seen.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertThat(next).isNotNull();
    return next;
  }

  @Test
  void itBeginsWithASnapshotAndListenersSeeItAsAReset() throws Exception {
    assertThat(view.state().has(Rows.SERVICE.key("before"))).isTrue();
    BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
    AutoCloseable listening = view.listen(into(seen));
    assertThat(next(seen)).isEqualTo(new Seen(1, 1, 0, true));
    put("a");
    put("b");
    assertThat(next(seen)).isEqualTo(new Seen(2, 2, 1, false));
    assertThat(next(seen)).isEqualTo(new Seen(3, 3, 1, false));
    listening.close();
    view.await(put("c"), PATIENCE);
    BlockingQueue<Seen> later = new LinkedBlockingQueue<>();
    view.listen(into(later));
    assertThat(next(later)).isEqualTo(new Seen(4, 4, 0, true));
    assertThat(seen).isEmpty();
  }

  @Test
  void awaitComesBackAtTheRevisionOrNotAtAll() {
    long revision = put("a");
    assertThat(view.await(revision, PATIENCE).has(Rows.SERVICE.key("a"))).isTrue();
    assertThatThrownBy(() -> view.await(revision + 1, Duration.ofMillis(20))).isInstanceOf(StoreException.class)
        .hasMessageContaining("did not reach " + (revision + 1));
  }

  @Test
  void freshSeesEveryEarlierWrite() throws Exception {
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 6; i++) {
      String id = "t" + i + "-";
      threads.add(Thread.ofVirtual().start(() -> {
        try {
          for (int n = 0; n < 50; n++) {
            put(id + n);
            assertThat(view.fresh(PATIENCE).has(Rows.SERVICE.key(id + n))).isTrue();
          }
        } catch (Throwable e) {
          failures.add(e);
        }
      }));
    }
    for (Thread each : threads) {
      each.join();
    }
    assertThat(failures).isEmpty();
  }

  /** The view's watch lags while a listener blocks; the history it needs is compacted meanwhile. */
  @Test
  void aLostPastIsAReset() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
    view.listen((state, changes, reset) -> {
      if (!reset && changes.getFirst().key().lastPart().equals("block")) {
        blocked.countDown();
        await(release);
      }
    });
    view.listen(into(seen));
    put("block");
    await(blocked);
    long last = 0;
    for (int i = 0; i < 2_500; i++) { // more than the view queues
      last = put("k" + i);
    }
    store.compact(last);
    release.countDown();
    view.await(last, PATIENCE);
    boolean reset = false;
    next(seen); // joined
    for (Seen one = next(seen); one.revision < last; one = next(seen)) {
      reset |= one.reset;
    }
    assertThat(reset || seen.isEmpty()).isTrue();
    assertThat(view.state().size()).isEqualTo(2_502);
    put("after");
    assertThat(view.fresh(PATIENCE).has(Rows.SERVICE.key("after"))).isTrue();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
