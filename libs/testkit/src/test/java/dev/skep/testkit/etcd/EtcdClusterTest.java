package dev.skep.testkit.etcd;

import static dev.skep.testkit.etcd.Told.landed;
import static dev.skep.testkit.etcd.Told.put;
import static dev.skep.testkit.etcd.Told.putLeased;
import static dev.skep.testkit.etcd.Told.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Access;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.etcd.EtcdConfig;
import dev.skep.backend.etcd.EtcdStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Three servers of which one, or the leader, or all but one are not there. */
@Tag("engine")
@Tag("slow")
class EtcdClusterTest {
  private static final Duration SILENCE = Duration.ofMillis(700);
  private static final int LIFE = 8; // of a lease, in seconds

  private EtcdCluster cluster;
  private final List<AutoCloseable> opened = new ArrayList<>();

  @BeforeEach
  void startEtcd() throws Exception {
    cluster = EtcdCluster.start(3);
  }

  @AfterEach
  void stopEtcd() throws Exception {
    for (AutoCloseable one : opened.reversed()) {
      one.close();
    }
    cluster.close();
  }

  private EtcdStore open(List<String> endpoints, Duration timeout) {
    EtcdStore store = EtcdStore.open(EtcdConfig.of(endpoints).with(timeout, SILENCE), Told::start);
    opened.add(store);
    return store;
  }

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
  void aDeadEndpointAmongSeveralCostsNothing() throws Exception {
    cluster.servers().get(1).kill();
    cluster.leader();
    for (int i = 0; i < 6; i++) { // whichever it begins with
      try (EtcdStore store = EtcdStore.open(EtcdConfig.of(cluster.uri() + "?timeout=20s", Access.PLAIN), Told::start)) {
        landed(store.commit(put("k" + i, "v")));
        assertThat(value(store, "k" + i)).isEqualTo("v");
      }
    }
  }

  /** Whichever server goes, watch and lease go on with the others, and every revision is told once. */
  @Test
  void serversComeAndGoUnderAWatchAndALease() throws Exception {
    EtcdStore store = open(cluster.endpoints(), Duration.ofSeconds(20));
    Store.Lease lease = store.lease(Duration.ofSeconds(LIFE));
    landed(store.commit(putLeased("held", "1", lease)));
    long first = untilLanded(store, "w", "first");
    long last = first;
    Told told = new Told();
    opened.add(store.watch("w", first, told));
    for (int round = 0; round < 2; round++) {
      EtcdServer leader = cluster.leader();
      leader.kill();
      for (int i = 0; i < 10; i++) {
        last = untilLanded(store, "w", round + ".leader killed." + i);
      }
      leader.begin();
      leader.awaitHealthy();
    }
    assertThat(lease.alive()).isTrue();
    assertThat(value(store, "held")).isEqualTo("1");
    for (int round = 0; round < 2; round++) {
      EtcdServer frozen = cluster.leader();
      frozen.freeze();
      for (int i = 0; i < 10; i++) {
        last = untilLanded(store, "w", round + ".leader frozen." + i);
      }
      frozen.thaw();
      frozen.awaitHealthy();
    }
    assertThat(told.upTo(last)).isEqualTo(LongStream.rangeClosed(first, last).boxed().toList());
    if (value(store, "held").equals("1")) {
      assertThat(lease.alive()).isTrue();
    } else {
      endsHere(lease);
    }
  }

  /**
   * A leader that was frozen may end a lease when it wakes, although the others kept it alive: seldom, when it looks for
   * leases that are over before it hears that it leads no more (github.com/etcd-io/etcd/issues/15247). No client can prevent
   * that; its holder finds out with the next renewal.
   */
  private void endsHere(Store.Lease lease) throws Exception {
    EtcdClock.untilALeaseRanOut(cluster.leader(), LIFE);
    assertThat(lease.alive()).as("a lease that etcd ended").isFalse();
  }

  /** With the time that processes give the lease of their loops, and the patience that everybody has. */
  @Test
  void aLeaseOfThreeSecondsOutlivesAFrozenServer() throws Exception {
    EtcdServer leader = cluster.leader();
    List<EtcdServer> others = cluster.servers().stream().filter(server -> server != leader).toList();
    EtcdStore store = EtcdStore.open(EtcdConfig.of(others.stream().map(EtcdServer::endpoint).toList()), Told::start);
    opened.add(store);
    Store.Lease lease = store.lease(Duration.ofSeconds(3));
    landed(store.commit(putLeased("held", "1", lease)));
    for (EtcdServer frozen : others) { // one of them is the one that is asked
      frozen.freeze();
      EtcdClock.untilALeaseRanOut(leader, 6);
      assertThat(lease.alive()).isTrue();
      frozen.thaw();
      frozen.awaitHealthy();
    }
    assertThat(value(store, "held")).isEqualTo("1");
  }

  /** A server without a quorum answers what it can alone; nothing that it says is taken for the cluster's word. */
  @Test
  void withoutAQuorumNothingIsAnsweredAndAWatchLeavesTheLonelyServer() throws Exception {
    EtcdStore store = open(cluster.endpoints(), Duration.ofSeconds(20));
    long first = untilLanded(store, "w", "first");
    EtcdServer lonely = cluster.leader();
    EtcdStore there = open(List.of(lonely.endpoint()), Duration.ofSeconds(3));
    Told told = new Told();
    opened.add(there.watch("w", first, told));
    assertThat(told.upTo(first)).containsExactly(first);
    for (EtcdServer server : cluster.servers()) {
      if (server != lonely) {
        server.freeze();
      }
    }
    assertThatThrownBy(() -> there.commit(put("w", "in doubt"))).isInstanceOf(StoreException.class).hasMessageContaining("nobody knows whether");
    assertThatThrownBy(() -> there.get("w")).isInstanceOf(StoreException.class);
    assertThatThrownBy(there::revision).isInstanceOf(StoreException.class);
    for (EtcdServer server : cluster.servers()) {
      if (server != lonely) {
        server.thaw();
      }
    }
    long last = untilLanded(store, "w", "last");
    // The commit in doubt landed or not, and so did each that was tried before the last one.
    assertThat(last).isGreaterThan(first);
    assertThat(told.upTo(last)).isEqualTo(LongStream.rangeClosed(first + 1, last).boxed().toList());
  }
}
