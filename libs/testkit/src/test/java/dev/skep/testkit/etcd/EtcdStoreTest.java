package dev.skep.testkit.etcd;

import static dev.skep.testkit.etcd.Told.bytes;
import static dev.skep.testkit.etcd.Told.delete;
import static dev.skep.testkit.etcd.Told.landed;
import static dev.skep.testkit.etcd.Told.put;
import static dev.skep.testkit.etcd.Told.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.Backends;
import dev.skep.backend.CompactedException;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.testkit.contract.StoreContract;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What holds of every store, and what is etcd's own, without any fault. Each test has a prefix of its own in one etcd. */
@Tag("engine")
class EtcdStoreTest extends StoreContract {
  private static EtcdServer etcd;
  private static int tests;

  @BeforeAll
  static void startEtcd() throws IOException, InterruptedException {
    etcd = EtcdServer.start();
  }

  @AfterAll
  static void stopEtcd() {
    etcd.close();
  }

  @Override
  protected Store open() {
    return Backends.store("etcd://" + etcd.endpoint() + "/test" + ++tests, Told::start);
  }

  @Test
  void prefixesKeepClustersApart() {
    try (Store other = Backends.store("etcd://" + etcd.endpoint() + "/test" + tests + "0", Told::start);
        Store all = Backends.store("etcd://" + etcd.endpoint(), Told::start)) {
      landed(store.commit(put("a", "mine")));
      landed(other.commit(put("a", "other")));
      assertThat(value(store, "a")).isEqualTo("mine");
      assertThat(store.read("").entries()).extracting(Store.Entry::key).containsExactly("a");
      assertThat(value(all, "test" + tests + "/a")).isEqualTo("mine");
      assertThat(all.read("").entries()).extracting(Store.Entry::key).contains("test" + tests + "/a", "test" + tests + "0/a");
    }
  }

  @Test
  void whatIsSealedStandsWhereItsNameBelongsAndCanBeLeftOut() throws Exception {
    landed(store.commit(new Transaction(List.of(), List.of(new Operation.Put("state/a", bytes("1")), new Operation.Put("sealed/a", bytes("1")),
        new Operation.Put("leader/a", bytes("1"))))));
    assertThat(store.read("").entries()).extracting(Store.Entry::key).containsExactly("leader/a", "sealed/a", "state/a");
    assertThat(store.read("sealed/").entries()).extracting(Store.Entry::key).containsExactly("sealed/a");
    assertThatThrownBy(() -> store.read("sea")).isInstanceOf(IllegalArgumentException.class);
    try (Store hidden = Backends.store("etcd://" + etcd.endpoint() + "/test" + tests + "?sealed=hidden", Told::start)) {
      assertThat(hidden.read("").entries()).extracting(Store.Entry::key).containsExactly("leader/a", "state/a");
      Told told = new Told();
      long from = store.revision();
      try (Store.Watch watch = hidden.watch("", from, told)) {
        assertThat(watch).isNotNull();
        assertThat(told.changes()).isEqualTo(2);
      }
    }
    assertThatThrownBy(() -> Backends.store("etcd://h1?sealed=open", Told::start)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aTransactionThatChangesNothingMakesNoRevisionAndAnswersForNow() {
    long revision = landed(store.commit(put("a", "1")));
    assertThat(store.commit(new Transaction(List.of(), List.of()))).isEqualTo(new Outcome.Committed(revision));
    assertThat(store.commit(new Transaction(List.of(new Compare.Exists("a")), List.of()))).isEqualTo(new Outcome.Committed(revision));
    assertThat(store.commit(new Transaction(List.of(new Compare.Exists("b")), List.of()))).isEqualTo(new Outcome.Conflict(revision));
    assertThat(store.commit(delete("b"))).isEqualTo(new Outcome.Committed(revision));
    assertThat(store.revision()).isEqualTo(revision);
  }

  @Test
  void aLargePrefixIsReadInPagesAtOneRevision() {
    SplittableRandom random = new SplittableRandom(20261121);
    List<String> keys = new ArrayList<>();
    for (int batch = 0; batch < 40; batch++) {
      List<Operation> operations = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        String key = String.format("p/%08x-%02d", random.nextInt(), i);
        keys.add(key);
        operations.add(new Operation.Put(key, new byte[1 + random.nextInt(5_000)]));
      }
      landed(store.commit(new Transaction(List.of(), operations)));
    }
    keys.sort(null);
    long before = store.revision();
    landed(store.commit(delete(keys.get(7))));
    landed(store.commit(put("p/zzz", "new")));
    Store.Snapshot then = store.readAt("p/", before);
    assertThat(then.revision()).isEqualTo(before);
    assertThat(then.entries()).extracting(Store.Entry::key).isEqualTo(keys);
    keys.remove(7);
    keys.add("p/zzz");
    assertThat(store.read("p/").entries()).extracting(Store.Entry::key).isEqualTo(keys);
  }

  /** A page that is too large to be received is asked for in smaller ones. */
  @Test
  void veryLargeRowsCanBeRead() {
    byte[] large = new byte[1 << 20];
    IntStream.range(0, 70).forEach(i -> landed(store.commit(new Transaction(List.of(), List.of(new Operation.Put("l/" + (100 + i), large))))));
    assertThat(store.read("l/").entries()).hasSize(70).allMatch(entry -> entry.value().length == large.length);
  }

  /** What was written in large transactions comes as one call for each revision, although etcd cuts the past into pieces. */
  @Test
  void aRevisionIsToldWholeHoweverEtcdCutsIt() throws Exception {
    long first = store.revision() + 1;
    long last = 0;
    for (int revision = 0; revision < 12; revision++) {
      List<Operation> operations = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        operations.add(new Operation.Put("w/" + i, new byte[12_000]));
      }
      last = landed(store.commit(new Transaction(List.of(), operations)));
    }
    Told late = new Told();
    try (Store.Watch watch = store.watch("w/", first, late)) {
      assertThat(watch).isNotNull();
      for (long revision = first; revision <= last; revision++) {
        assertThat(late.changes()).as("changes of revision %d of %d to %d", revision, first, last).isEqualTo(100);
      }
      assertThat(late.isEmpty()).isTrue();
    }
  }

  @Test
  void whatTheCompactionLeavesAWatchIsAllOrItSaysSo() throws Exception {
    landed(store.commit(put("a", "1")));
    long deleted = landed(store.commit(delete("a")));
    store.compact(deleted); // etcd forgets the deletion, too
    Told told = new Told();
    try (Store.Watch watch = store.watch("", deleted, told)) {
      assertThat(watch).isNotNull();
      assertThat(told.isCompacted()).isTrue();
    }
    assertThatThrownBy(() -> store.readAt("", deleted - 1)).isInstanceOfSatisfying(CompactedException.class,
        compacted -> assertThat(compacted.oldestRevision()).isEqualTo(deleted));
    assertThatThrownBy(() -> store.readAt("", deleted + 100)).isInstanceOf(StoreException.class).hasMessageContaining("future revision");
  }

  @Test
  void aTransactionLargerThanEtcdTakesIsAClearError() {
    Transaction large = new Transaction(List.of(), List.of(new Operation.Put("a", new byte[1_600_000])));
    assertThatThrownBy(() -> store.commit(large)).isInstanceOf(StoreException.class)
        .hasMessageContaining("larger than etcd takes").hasMessageNotContaining("nobody knows");
    Transaction larger = new Transaction(List.of(), List.of(new Operation.Put("a", new byte[5_000_000])));
    assertThatThrownBy(() -> store.commit(larger)).isInstanceOf(StoreException.class).hasMessageContaining("larger than etcd takes");
    assertThat(value(store, "a")).isEqualTo("none");
  }

  @Test
  void manyWhoAskForTheRevisionAtOnceAllLearnOfTheirOwnWrites() throws Exception {
    inParallel(16, caller -> {
      for (int i = 0; i < 20; i++) {
        long mine = landed(store.commit(put("r" + caller, "" + i)));
        assertThat(store.revision()).isGreaterThanOrEqualTo(mine);
      }
      return null;
    });
  }

  @Test
  void aClosedStoreEndsWatchesAndLeases() {
    Store.Lease lease = store.lease(Duration.ofSeconds(30));
    landed(store.commit(new Transaction(List.of(), List.of(new Operation.Put("held", bytes("1"), lease.id()), new Operation.Put("free", bytes("1"))))));
    store.close();
    assertThat(lease.alive()).isFalse();
    lease.close();
    tests--;
    store = open(); // at the same place
    assertThat(store.read("").entries()).extracting(Store.Entry::key).containsExactly("free");
  }
}
