package dev.skep.testkit.contract;

import static dev.skep.testkit.contract.Texts.absent;
import static dev.skep.testkit.contract.Texts.all;
import static dev.skep.testkit.contract.Texts.at;
import static dev.skep.testkit.contract.Texts.bytes;
import static dev.skep.testkit.contract.Texts.conflicted;
import static dev.skep.testkit.contract.Texts.delete;
import static dev.skep.testkit.contract.Texts.exists;
import static dev.skep.testkit.contract.Texts.landed;
import static dev.skep.testkit.contract.Texts.lines;
import static dev.skep.testkit.contract.Texts.put;
import static dev.skep.testkit.contract.Texts.text;
import static dev.skep.testkit.contract.Texts.when;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.skep.backend.CompactedException;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Entry;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What holds of every {@link Store}. A backend's test gives an empty store for each test. */
public abstract class StoreContract {
  protected Store store;

  /** A store that holds nothing. */
  protected abstract Store open() throws Exception;

  @BeforeEach
  void openStore() throws Exception {
    store = open();
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  @Test
  protected void eachCommitMakesOneRevisionForAllItsKeys() {
    long before = store.revision();
    long first = landed(store.commit(all(put("a", "1"), put("b", "1"))));
    long second = landed(store.commit(all(put("a", "2"))));
    assertThat(first).isGreaterThan(before);
    assertThat(second).isEqualTo(first + 1);
    assertThat(store.revision()).isEqualTo(second);
    Entry a = store.get("a").orElseThrow();
    assertThat(List.of(text(a.value()), a.createRevision(), a.modRevision())).isEqualTo(List.of("2", first, second));
    assertThat(store.get("b").orElseThrow().modRevision()).isEqualTo(first);
    assertThat(store.get("c")).isEmpty();
  }

  @Test
  protected void aKeyThatComesBackIsCreatedAnew() {
    landed(store.commit(all(put("a", "1"))));
    landed(store.commit(all(delete("a"))));
    assertThat(store.get("a")).isEmpty();
    long again = landed(store.commit(all(put("a", "2"))));
    assertThat(store.get("a").orElseThrow().createRevision()).isEqualTo(again);
  }

  @Test
  protected void readsSeeAPrefixInKeyOrder() {
    landed(store.commit(all(put("x/b", "2"), put("x/a", "1"), put("x", "0"), put("y", "3"), put("x/ä", "4"))));
    Store.Snapshot snapshot = store.read("x/");
    assertThat(lines(snapshot)).containsExactly("x/a=1", "x/b=2", "x/ä=4");
    assertThat(snapshot.revision()).isEqualTo(store.revision());
    assertThat(lines(store.read("z"))).isEmpty();
    assertThat(store.read("").entries()).hasSize(5);
  }

  @Test
  protected void comparesHoldOrNothingIsWritten() {
    long first = landed(store.commit(all(put("a", "1"))));
    assertThat(conflicted(store.commit(when(absent("a"), put("a", "2"))))).isEqualTo(first);
    conflicted(store.commit(when(at("a", first + 1), put("a", "2"))));
    conflicted(store.commit(when(exists("b"), put("a", "2"))));
    conflicted(store.commit(new Transaction(List.of(at("a", first), exists("b")), List.of(put("a", "2"), put("c", "2")))));
    assertThat(lines(store.read(""))).containsExactly("a=1");
    assertThat(store.revision()).isEqualTo(first);
    long second = landed(store.commit(when(at("a", first), put("a", "2"))));
    landed(store.commit(when(exists("a"), delete("a"))));
    landed(store.commit(when(absent("a"), put("a", "3"))));
    assertThat(second).isEqualTo(first + 1);
    assertThat(lines(store.read(""))).containsExactly("a=3");
  }

  @Test
  protected void valuesAreBytes() {
    byte[] every = new byte[256];
    IntStream.range(0, 256).forEach(i -> every[i] = (byte) i);
    landed(store.commit(new Transaction(List.of(), List.of(new Operation.Put("a", every), new Operation.Put("empty", new byte[0])))));
    assertThat(store.get("a").orElseThrow().value()).isEqualTo(every);
    assertThat(store.get("empty").orElseThrow().value()).isEmpty();
    assertThat(store.read("").entries()).hasSize(2);
  }

  @Test
  protected void aTransactionTakes128OperationsAnd128Comparisons() {
    List<Operation> most = IntStream.range(0, 128).mapToObj(i -> put(String.format("k%03d", i), "v")).toList();
    List<Compare> absent = IntStream.range(0, 129).mapToObj(i -> absent(String.format("k%03d", i))).toList();
    landed(store.commit(new Transaction(absent.subList(0, 128), most)));
    assertThat(store.read("k").entries()).hasSize(128);
    List<Operation> more = Stream.concat(most.stream(), Stream.of(put("x", "v"))).toList();
    assertThatThrownBy(() -> store.commit(new Transaction(List.of(), more))).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.commit(new Transaction(absent, most))).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.commit(all(put("a", "1"), put("a", "2")))).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  protected void theEarlierStateCanBeRead() {
    long first = landed(store.commit(all(put("p/a", "1"), put("p/b", "1"), put("q", "1"))));
    long second = landed(store.commit(all(put("p/a", "2"), delete("p/b"))));
    long third = landed(store.commit(all(put("p/b", "3"))));
    assertThat(lines(store.readAt("p/", first))).containsExactly("p/a=1", "p/b=1");
    assertThat(lines(store.readAt("p/", second))).containsExactly("p/a=2");
    assertThat(lines(store.readAt("p/", third))).containsExactly("p/a=2", "p/b=3");
    assertThat(store.readAt("p/", second).revision()).isEqualTo(second);
    assertThat(store.readAt("p/", first).entries().getFirst().modRevision()).isEqualTo(first);
  }

  @Test
  protected void aWatchTellsThePastAndThenWhatComes() {
    landed(store.commit(all(put("p/a", "0"))));
    long from = landed(store.commit(all(put("p/a", "1"), put("q", "1"))));
    landed(store.commit(all(put("q", "2"))));
    landed(store.commit(all(delete("p/a"), put("p/b", "3"))));
    Recorder recorder = new Recorder();
    try (Store.Watch watch = store.watch("p/", from, recorder)) {
      assertThat(watch).isNotNull();
      assertThat(recorder.line()).isEqualTo(from + ": p/a=1");
      assertThat(recorder.line()).isEqualTo((from + 2) + ": p/a=- p/b=3");
      landed(store.commit(all(put("q", "4"))));
      landed(store.commit(all(put("p/c", "5"))));
      assertThat(recorder.line()).isEqualTo((from + 4) + ": p/c=5");
    }
  }

  @Test
  protected void aWatchMissesNothingWhileOthersWrite() throws Exception {
    long start = landed(store.commit(all(put("w/start", ""))));
    int writers = 4;
    int each = 100;
    List<Recorder> recorders = new ArrayList<>();
    List<Store.Watch> watches = new ArrayList<>();
    inParallel(writers, writer -> {
      for (int i = 0; i < each; i++) {
        landed(store.commit(all(put("w/" + writer, "" + i))));
        if (writer == 0 && i % 25 == 0) { // watches begin at different moments, all at the same revision
          Recorder recorder = new Recorder();
          recorders.add(recorder);
          watches.add(store.watch("w/", start, recorder));
        }
      }
      return null;
    });
    long last = store.revision();
    List<Long> all = LongStream.rangeClosed(start, last).boxed().toList();
    assertThat(last).isEqualTo(start + writers * each);
    recorders.forEach(recorder -> assertThat(recorder.revisionsUpTo(last)).isEqualTo(all));
    watches.forEach(Store.Watch::close);
  }

  @Test
  protected void aWatcherMayUseTheStoreAndASlowOneHoldsUpNobody() throws Exception {
    Recorder echoes = new Recorder();
    long start = store.revision() + 1;
    Store.Watcher echo = new Store.Watcher() {
      @Override
      public void changed(long revision, List<Store.Change> changes) {
        landed(store.commit(all(put("out", text(changes.getFirst().value())))));
      }

      @Override
      public void compacted(long oldestRevision) {
        throw new AssertionError("nobody compacts");
      }
    };
    try (Store.Watch in = store.watch("in", start, echo); Store.Watch out = store.watch("out", start, echoes)) {
      assertThat(in).isNotSameAs(out);
      for (int i = 0; i < 20; i++) {
        landed(store.commit(all(put("in", "" + i))));
      }
      for (int i = 0; i < 20; i++) {
        assertThat(echoes.line()).endsWith("out=" + i);
      }
    }
  }

  @Test
  protected void aClosedWatchIsQuiet() {
    Recorder closed = new Recorder();
    Recorder open = new Recorder();
    long start = landed(store.commit(all(put("a", "0"))));
    Store.Watch watch = store.watch("a", start, closed);
    assertThat(closed.line()).isEqualTo(start + ": a=0");
    watch.close();
    watch.close();
    try (Store.Watch other = store.watch("a", start, open)) {
      assertThat(other).isNotNull();
      long next = landed(store.commit(all(put("a", "1"))));
      long last = landed(store.commit(all(put("a", "2"))));
      assertThat(open.revisionsUpTo(last)).containsExactly(start, next, last);
    }
  }

  @Test
  protected void compactionForgetsThePastAndKeepsThePresent() {
    long first = landed(store.commit(all(put("a", "1"), put("b", "1"), put("c", "1"))));
    long second = landed(store.commit(all(put("a", "2"), delete("b"))));
    long third = landed(store.commit(all(put("a", "3"))));
    store.compact(third);
    assertThat(lines(store.read(""))).containsExactly("a=3", "c=1");
    assertThat(lines(store.readAt("", third))).containsExactly("a=3", "c=1");
    assertThat(store.get("c").orElseThrow().createRevision()).isEqualTo(first);
    assertThatThrownBy(() -> store.readAt("", second)).isInstanceOf(CompactedException.class);
    Recorder late = new Recorder();
    try (Store.Watch watch = store.watch("", second, late)) {
      assertThat(watch).isNotNull();
      assertThat(late.compacted()).isEqualTo(third);
    }
    Recorder inTime = new Recorder();
    try (Store.Watch watch = store.watch("", third + 1, inTime)) {
      assertThat(watch).isNotNull();
      long fourth = landed(store.commit(all(put("d", "4"))));
      assertThat(inTime.line()).isEqualTo(fourth + ": d=4");
    }
    assertThatThrownBy(() -> store.compact(store.revision() + 10)).isInstanceOf(StoreException.class);
    store.compact(first); // already done
  }

  @Test
  protected void compactionUnderAWatchThatKeepsUpLosesNothing() {
    Recorder recorder = new Recorder();
    long start = landed(store.commit(all(put("a", "start"))));
    try (Store.Watch watch = store.watch("", start, recorder)) {
      assertThat(watch).isNotNull();
      recorder.line();
      for (int i = 0; i < 50; i++) {
        long revision = landed(store.commit(all(put("a", "" + i))));
        assertThat(recorder.line()).isEqualTo(revision + ": a=" + i);
        store.compact(revision);
      }
    }
  }

  @Test
  protected void keysOfARevokedLeaseGo() {
    Store.Lease lease = store.lease(Duration.ofSeconds(30));
    assertThat(lease.alive()).isTrue();
    landed(store.commit(new Transaction(List.of(), List.of(
        new Operation.Put("l/a", bytes("1"), lease.id()), new Operation.Put("l/b", bytes("1"), lease.id()), put("l/c", "1")))));
    landed(store.commit(all(put("l/b", "kept")))); // put without the lease: no longer its key
    Recorder recorder = new Recorder();
    try (Store.Watch watch = store.watch("l/", store.revision() + 1, recorder)) {
      assertThat(watch).isNotNull();
      lease.close();
      lease.close();
      assertThat(recorder.line()).endsWith(": l/a=-");
    }
    assertThat(lease.alive()).isFalse();
    assertThat(lines(store.read("l/"))).containsExactly("l/b=kept", "l/c=1");
    assertThatThrownBy(() -> store.commit(new Transaction(List.of(), List.of(new Operation.Put("l/d", bytes("1"), lease.id())))))
        .isInstanceOf(StoreException.class);
  }

  @Test
  protected void concurrentIncrementsLoseNothing() throws Exception {
    int callers = 8;
    int each = 50;
    landed(store.commit(all(put("n", "0"))));
    inParallel(callers, caller -> {
      for (int done = 0; done < each; ) {
        Entry entry = store.get("n").orElseThrow();
        String next = Integer.toString(Integer.parseInt(text(entry.value())) + 1);
        if (store.commit(when(at("n", entry.modRevision()), put("n", next))) instanceof Store.Outcome.Committed) {
          done++;
        }
      }
      return null;
    });
    assertThat(text(store.get("n").orElseThrow().value())).isEqualTo(Integer.toString(callers * each));
  }

  @Test
  protected void ofConcurrentCommitsWithTheSameCompareOneLands() throws Exception {
    for (int round = 0; round < 20; round++) {
      String key = "once" + round;
      List<Store.Outcome> outcomes = inParallel(6, caller -> store.commit(when(absent(key), put(key, "" + caller))));
      assertThat(outcomes.stream().filter(outcome -> outcome instanceof Store.Outcome.Committed)).hasSize(1);
    }
  }

  @Test
  protected void whatWasAcknowledgedIsSeenByEveryLaterRead() throws Exception {
    inParallel(4, caller -> {
      for (int i = 0; i < 50; i++) {
        long revision = landed(store.commit(all(put("r" + caller, "" + i))));
        assertThat(text(store.get("r" + caller).orElseThrow().value())).isEqualTo("" + i);
        assertThat(store.revision()).isGreaterThanOrEqualTo(revision);
        assertThat(store.read("r" + caller).revision()).isGreaterThanOrEqualTo(revision);
      }
      return null;
    });
  }

  @Test
  protected void aClosedStoreRefuses() {
    store.close();
    store.close();
    assertThatThrownBy(() -> store.commit(when(new Compare.Exists("a"), put("a", "1")))).isInstanceOf(StoreException.class);
  }

  /** Runs the body with 0, 1, … in as many threads. */
  protected static <T> List<T> inParallel(int threads, Body<T> body) throws Exception {
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Future<T>> running = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int number = i;
        Callable<T> call = () -> body.run(number);
        running.add(executor.submit(call));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> future : running) {
        results.add(future.get());
      }
      return results;
    }
  }

  /** What {@link #inParallel} runs. */
  @FunctionalInterface
  protected interface Body<T> {
    T run(int number) throws Exception;
  }
}
