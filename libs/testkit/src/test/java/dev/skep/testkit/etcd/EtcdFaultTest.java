package dev.skep.testkit.etcd;

import static dev.skep.testkit.etcd.Told.landed;
import static dev.skep.testkit.etcd.Told.link;
import static dev.skep.testkit.etcd.Told.put;
import static dev.skep.testkit.etcd.Told.putLeased;
import static dev.skep.testkit.etcd.Told.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.StoreException;
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
import dev.skep.testkit.net.TcpGate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One etcd that is stopped, killed, frozen, or behind a slow network. */
@Tag("engine")
@Tag("slow")
class EtcdFaultTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(3);
  private static final Duration SILENCE = Duration.ofMillis(700);

  private EtcdServer etcd;
  private EtcdStore store;
  private final List<AutoCloseable> opened = new ArrayList<>();

  @BeforeEach
  void startEtcd() throws Exception {
    etcd = EtcdServer.start("--experimental-watch-progress-notify-interval=200ms");
    store = open(etcd.endpoint(), TIMEOUT);
  }

  @AfterEach
  void stopEtcd() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
    etcd.close();
  }

  private EtcdStore open(String endpoint, Duration timeout) {
    EtcdStore fresh = EtcdStore.open(EtcdConfig.of(List.of(endpoint)).with(timeout, SILENCE), Told::start);
    opened.add(fresh);
    return fresh;
  }

  private interface Body {
    void run() throws Exception;
  }

  private static Future<?> meanwhile(Body body) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Told.start("meanwhile", () -> {
      try {
        body.run();
        done.complete(null);
      } catch (Throwable e) {
        done.completeExceptionally(e);
      }
    });
    return done;
  }

  /** A connection that breaks under a commit leaves its fate open: it may be there twice then. */
  private static long untilLanded(Store store, String key, String value) {
    while (true) {
      try {
        return landed(store.commit(put(key, value)));
      } catch (StoreException e) {
        assertThat(e).hasMessageContaining("nobody knows whether");
      }
    }
  }

  @Test
  void callsToAFrozenServerEndAndItIsUsedAgainWhenItAwakes() throws Exception {
    landed(store.commit(put("a", "1")));
    etcd.freeze();
    assertThatThrownBy(() -> store.commit(put("a", "2"))).isInstanceOf(StoreException.class).hasMessageContaining("nobody knows whether");
    assertThatThrownBy(() -> store.get("a")).isInstanceOf(StoreException.class).hasMessageContaining(etcd.endpoint());
    assertThatThrownBy(store::revision).isInstanceOf(StoreException.class);
    assertThatThrownBy(() -> store.lease(Duration.ofSeconds(5))).isInstanceOf(StoreException.class);
    etcd.thaw();
    EtcdStore patient = open(etcd.endpoint(), Duration.ofSeconds(30));
    assertThat(value(patient, "a")).isIn("1", "2"); // it may have landed since
    landed(store.commit(put("a", "3")));
    assertThat(value(patient, "a")).isEqualTo("3");
  }

  @Test
  void aServerThatIsDownIsWaitedForAndACommitIsNotSentTwice() throws Exception {
    EtcdStore patient = open(etcd.endpoint(), Duration.ofSeconds(60));
    long first = landed(patient.commit(put("n", "1")));
    etcd.stop();
    assertThatThrownBy(() -> store.commit(put("n", "2"))).isInstanceOf(StoreException.class).hasMessageContaining("no answer");
    Future<?> back = meanwhile(() -> {
      etcd.begin();
      etcd.awaitHealthy();
    });
    // It never reached a server that was down, so it is sent until one is there.
    assertThat(patient.commit(link("n", first, "3"))).isEqualTo(new Outcome.Committed(first + 1));
    back.get();
    assertThat(value(patient, "n")).isEqualTo("3");
  }

  @Test
  void aWatchGoesOnOverRestartsKillsAndFreezesWithoutGapOrDouble() throws Exception {
    EtcdStore patient = open(etcd.endpoint(), Duration.ofSeconds(60));
    long first = landed(patient.commit(put("w", "0")));
    Told told = new Told();
    long last = first;
    try (Store.Watch watch = store.watch("w", first, told)) {
      assertThat(watch).isNotNull();
      for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 20; i++) {
          last = untilLanded(patient, "w", round + "." + i);
        }
        switch (round) {
          case 0, 3 -> {
            etcd.kill();
            etcd.begin();
          }
          case 1, 4 -> {
            etcd.stop();
            etcd.begin();
          }
          default -> {
            etcd.freeze();
            assertThatThrownBy(store::revision).isInstanceOf(StoreException.class);
            etcd.thaw();
          }
        }
      }
      last = untilLanded(patient, "w", "last");
      assertThat(told.upTo(last)).isEqualTo(LongStream.rangeClosed(first, last).boxed().toList());
    }
  }

  @Test
  void compactionWhileAWatchCannotReadIsToldToIt() throws Exception {
    long first = landed(store.commit(put("a", "0")));
    TcpGate gate = TcpGate.to(etcd.port());
    Told told = new Told();
    EtcdStore behind = EtcdStore.open(EtcdConfig.of(List.of("127.0.0.1:" + gate.port())).with(TIMEOUT, SILENCE), Told::start);
    opened.add(behind);
    Store.Watch watch = behind.watch("a", first, told);
    opened.add(watch);
    assertThat(told.upTo(first)).containsExactly(first);
    gate.close();
    for (int i = 0; i < 10; i++) {
      landed(store.commit(put("a", "" + i)));
    }
    long last = store.revision();
    store.compact(last);
    opened.add(TcpGate.to(gate.port(), etcd.port()));
    assertThat(told.isCompacted()).isTrue();
  }

  /** etcd tells a quiet watch how far it is, so that what others change and what is compacted meanwhile is no loss. */
  @Test
  void aQuietWatchKeepsUpWithTheStore() throws Exception {
    long first = landed(store.commit(put("quiet", "0")));
    Told told = new Told();
    try (Store.Watch watch = store.watch("quiet", first, told)) {
      assertThat(watch).isNotNull();
      assertThat(told.upTo(first)).containsExactly(first);
      for (int i = 0; i < 50; i++) {
        landed(store.commit(put("busy", "" + i)));
      }
      long busy = store.revision();
      EtcdClock.untilALeaseRanOut(etcd, 2);
      store.compact(busy);
      etcd.stop();
      etcd.begin();
      long next = untilLanded(open(etcd.endpoint(), Duration.ofSeconds(60)), "quiet", "1");
      assertThat(told.upTo(next)).containsExactly(next);
    }
  }

  /** The network keeps a commit back until the client has given up and done something else: then it arrives. */
  @Test
  void ofTwoOverlappingCommitsOfAChainOneLands() throws Exception {
    TcpGate gate = TcpGate.to(etcd.port());
    opened.add(gate);
    EtcdStore slow = open("127.0.0.1:" + gate.port(), TIMEOUT);
    long chain = landed(slow.commit(put("chain", "0")));
    gate.hold();
    assertThatThrownBy(() -> slow.commit(link("chain", chain, "late"))).isInstanceOf(StoreException.class).hasMessageContaining("nobody knows whether");
    assertThat(value(slow, "chain")).isEqualTo("0"); // over a new connection
    long second = landed(slow.commit(link("chain", chain, "second")));
    gate.awaitHeld("late");
    gate.releaseHeld();
    long third = landed(slow.commit(link("chain", second, "third")));
    assertThat(third).isEqualTo(second + 1);
    assertThat(value(slow, "chain")).isEqualTo("third");
  }

  @Test
  void aCommitThatWasGivenUpMayStillLand() throws Exception {
    TcpGate gate = TcpGate.to(etcd.port());
    opened.add(gate);
    EtcdStore slow = open("127.0.0.1:" + gate.port(), TIMEOUT);
    long chain = landed(slow.commit(put("chain", "0")));
    Told told = new Told();
    opened.add(store.watch("chain", chain + 1, told));
    gate.hold();
    Future<?> given = meanwhile(() -> assertThatThrownBy(() -> slow.commit(link("chain", chain, "late"))).isInstanceOf(StoreException.class));
    gate.awaitHeld("late"); // the commit, and not that it was given up
    given.get();
    assertThat(value(slow, "chain")).isEqualTo("0");
    gate.releaseHeld();
    assertThat(told.upTo(chain + 1)).containsExactly(chain + 1);
    assertThat(slow.commit(link("chain", chain, "second"))).isEqualTo(new Outcome.Conflict(chain + 1));
    assertThat(value(slow, "chain")).isEqualTo("late");
  }

  @Test
  void aLeaseIsKeptAliveAlsoOverARestart() throws Exception {
    Store.Lease lease = store.lease(Duration.ofSeconds(4));
    landed(store.commit(putLeased("held", "1", lease)));
    etcd.kill();
    etcd.begin();
    etcd.awaitHealthy();
    EtcdClock.untilALeaseRanOut(etcd, 10);
    assertThat(lease.alive()).isTrue();
    assertThat(value(store, "held")).isEqualTo("1");
    lease.close();
    assertThat(lease.alive()).isFalse();
    assertThat(value(store, "held")).isEqualTo("none");
  }

  private static void awaitEnd(Store.Lease lease) {
    while (lease.alive()) {
      LockSupport.parkNanos(1_000_000); // the test's time-out ends it
    }
  }

  @Test
  void aLeaseThatCannotBeKeptAliveEndsHereAndThenThere() throws Exception {
    Store.Lease lease = store.lease(Duration.ofSeconds(2));
    long from = landed(store.commit(putLeased("held", "1", lease)));
    etcd.freeze();
    awaitEnd(lease);
    etcd.thaw();
    Told gone = new Told();
    opened.add(store.watch("held", from + 1, gone));
    assertThat(gone.changes()).isEqualTo(1);
    assertThat(lease.alive()).isFalse();
    Store.Lease next = open(etcd.endpoint(), Duration.ofSeconds(60)).lease(Duration.ofSeconds(2));
    assertThat(next.alive()).as("a new one can be had").isTrue();
  }

  @Test
  void aLeaseThatSomebodyRevokedIsSeenToHaveEnded() throws Exception {
    Store.Lease lease = store.lease(Duration.ofSeconds(2));
    EtcdStore other = open(etcd.endpoint(), TIMEOUT);
    assertThat(lease.alive()).isTrue();
    EtcdTool.run(etcd, "lease", "revoke", Long.toHexString(lease.id()));
    awaitEnd(lease); // its own time ends soon, when it is not told before
    assertThatThrownBy(() -> other.commit(putLeased("held", "1", lease))).isInstanceOf(StoreException.class).hasMessageContaining("lease not found");
  }
}
