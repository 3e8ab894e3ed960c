package dev.skep.testkit.etcd;

import static dev.skep.testkit.etcd.Told.landed;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
import dev.skep.runtime.Metrics;
import dev.skep.runtime.loop.Candidacy;
import dev.skep.runtime.loop.LoopCore;
import dev.skep.runtime.loop.LoopMetrics;
import dev.skep.runtime.loop.ThreadedLoop;
import dev.skep.runtime.view.StoreView;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.IdSource;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.testkit.ForwardingStore;
import dev.skep.testkit.net.TcpGate;
import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A real control loop over a real etcd that freezes, and over a network that delivers commits late. The decider makes
 * fresh ids, so that a commit that lands twice, or beside another, shows as a task too many.
 */
@Tag("engine")
@Tag("slow")
class EtcdLoopTest {
  private static final Duration SILENCE = Duration.ofMillis(500);
  private static final int TASKS = 3;
  private static final Key<LeaderRow> LEADER = Rows.LEADER.key("tasks");
  private static final Decider THREE_TASKS_EACH = (state, since, tick) -> {
    Decision.Builder decision = Decision.builder();
    for (Row<ServiceRow> service : state.rows(Rows.SERVICE)) {
      String id = service.key().lastPart();
      for (int have = tasksOf(state, id); have < TASKS; have++) {
        decision.change(ChangeSet.about(id).present(service.key())
            .put(Rows.INTENT.key(tick.ids().next()), TaskIntentRow.newBuilder().setServiceId(id).build()));
      }
    }
    return decision.build();
  };

  private final List<AutoCloseable> opened = new ArrayList<>();
  private final Semaphore moves = new Semaphore(0);
  private final List<LeaderRow> chain = new ArrayList<>(); // on the watch's thread, read when the loop is closed
  private EtcdServer etcd;
  private EtcdStore direct;
  private StoreView view;
  private Store.Watch chainWatch;

  private static int tasksOf(ClusterState state, String service) {
    int count = 0;
    for (String task : state.tasksOfService(service)) {
      assertThat(task).isNotEmpty();
      count++;
    }
    return count;
  }

  @BeforeEach
  void startEtcd() throws Exception {
    etcd = EtcdServer.start();
    direct = open(etcd.endpoint(), Duration.ofSeconds(60));
    view = new StoreView(direct);
    opened.add(view);
    Told.start("view", view);
    opened.add(view.listen((state, changes, reset) -> moves.release()));
    chainWatch = direct.watch(LEADER.path(), 1, new Store.Watcher() {
      @Override
      public void changed(long revision, List<Store.Change> changes) {
        try {
          synchronized (chain) {
            chain.add(LeaderRow.parseFrom(changes.getFirst().value()));
          }
        } catch (InvalidProtocolBufferException e) {
          throw new AssertionError(e);
        }
      }

      @Override
      public void compacted(long oldestRevision) {
        throw new AssertionError("nobody compacts");
      }
    });
    opened.add(chainWatch);
  }

  @AfterEach
  void stopEtcd() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
    etcd.close();
  }

  private EtcdStore open(String endpoint, Duration timeout) {
    EtcdStore store = EtcdStore.open(EtcdConfig.of(List.of(endpoint)).with(timeout, SILENCE), Told::start);
    opened.add(store);
    return store;
  }

  private void startLoop(Store store) {
    LoopCore core = new LoopCore("tasks", new LoopCore.Candidate("me", "here", true), THREE_TASKS_EACH, new IdSource(new SplittableRandom(7)));
    ThreadedLoop loop = new ThreadedLoop("tasks", core, store, view, Clock.systemUTC(), state -> true,
        Candidacy.alone("here"), () -> {}, new LoopMetrics(new Metrics(new CollectorRegistry())));
    opened.add(loop);
    Told.start("loop", loop);
  }

  private void createService(String id) {
    Operation put = new Operation.Put(Rows.SERVICE.key(id).path(), ServiceRow.getDefaultInstance().toByteArray());
    landed(direct.commit(new Transaction(List.of(), List.of(put))));
  }

  private void until(Predicate<ClusterState> holds) throws InterruptedException {
    while (!holds.test(view.state())) {
      assertThat(moves.tryAcquire(60, TimeUnit.SECONDS)).as("the view moves").isTrue();
    }
  }

  private static int tasks(ClusterState state) {
    int count = 0;
    for (Row<TaskIntentRow> task : state.rows(Rows.INTENT)) {
      assertThat(task.value().getServiceId()).isNotEmpty();
      count++;
    }
    return count;
  }

  private void expect(int services) throws InterruptedException {
    long revision = direct.revision();
    until(state -> state.revision() >= revision);
    assertThat(tasks(view.state())).isEqualTo(services * TASKS);
    synchronized (chain) {
      for (int i = 1; i < chain.size(); i++) {
        long before = chain.get(i - 1).getCommits();
        assertThat(chain.get(i).getCommits()).as("link %d of the chain follows the one before", i).isIn(before + 1, 1L);
      }
    }
  }

  @Test
  void aFrozenEtcdCostsTimeAndNothingElse() throws Exception {
    startLoop(open(etcd.endpoint(), Duration.ofSeconds(2)));
    int services = 0;
    for (int round = 0; round < 4; round++) {
      createService("s" + services++);
      until(state -> tasks(state) > 0);
      createService("s" + services++); // its tasks are perhaps under way
      etcd.freeze();
      try (EtcdStore impatient = EtcdStore.open(EtcdConfig.of(List.of(etcd.endpoint())).with(Duration.ofSeconds(4), SILENCE), Told::start)) {
        assertThat(answers(impatient)).isFalse(); // four seconds pass
      }
      etcd.thaw();
      int all = services * TASKS;
      until(state -> tasks(state) >= all);
      expect(services);
    }
  }

  private static boolean answers(Store store) {
    try {
      store.revision();
      return true;
    } catch (StoreException e) {
      return false;
    }
  }

  /** The commit arrives after the loop has given it up, read the leader row and committed anew. */
  @Test
  void aCommitThatArrivesAfterItsSuccessorDoesNotLand() throws Exception {
    TcpGate gate = TcpGate.to(etcd.port());
    opened.add(gate);
    startLoop(open("127.0.0.1:" + gate.port(), Duration.ofSeconds(2)));
    createService("s1");
    until(state -> tasks(state) == TASKS);
    gate.hold();
    createService("s2");
    gate.awaitHeld(LEADER.path());
    until(state -> tasks(state) == 2 * TASKS); // over a new connection
    gate.releaseHeld();
    createService("s3");
    until(state -> tasks(state) >= 3 * TASKS);
    expect(3);
  }

  /** The commit arrives after the loop read the leader row, and before it commits anew: the second one must not land. */
  @Test
  void aCommitThatArrivesBeforeItsSuccessorKeepsItOut() throws Exception {
    TcpGate gate = TcpGate.to(etcd.port());
    opened.add(gate);
    Late late = new Late(open("127.0.0.1:" + gate.port(), Duration.ofSeconds(2)), gate);
    startLoop(late);
    createService("s1");
    until(state -> tasks(state) == TASKS);
    gate.hold();
    createService("s2");
    until(state -> tasks(state) >= 2 * TASKS);
    createService("s3");
    until(state -> tasks(state) >= 3 * TASKS);
    expect(3);
    assertThat(late.conflicts).as("commits that came too late").isPositive();
  }

  /** Before the first commit after one of unknown fate it lets the network deliver that one. */
  private static final class Late extends ForwardingStore {
    private final TcpGate gate;
    private boolean doubt;
    private volatile int conflicts; // written by the loop only

    private Late(Store store, TcpGate gate) {
      super(store);
      this.gate = gate;
    }

    @Override
    public Outcome commit(Transaction transaction) {
      try {
        if (doubt) {
          doubt = false;
          long before = super.get(LEADER.path()).orElseThrow().modRevision();
          gate.releaseHeld();
          while (super.get(LEADER.path()).orElseThrow().modRevision() == before) {
            LockSupport.parkNanos(1_000_000); // it lands
          }
        }
        Outcome outcome = super.commit(transaction);
        conflicts = conflicts + (outcome instanceof Outcome.Conflict ? 1 : 0);
        return outcome;
      } catch (StoreException e) {
        doubt = true;
        gate.awaitHeld(LEADER.path());
        throw e;
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }
}
