package dev.skep.testkit.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A watcher that keeps what it was told, and short forms for tests that speak in texts. */
final class Told implements Store.Watcher {
  private static final long PATIENCE_SECONDS = 60;
  private static final long COMPACTED = -1;

  private record Revision(long revision, int changes) {}

  private final BlockingQueue<Revision> told = new LinkedBlockingQueue<>();

  @Override
  public void changed(long revision, List<Store.Change> changes) {
    told.add(new Revision(revision, changes.size()));
  }

  @Override
  public void compacted(long oldestRevision) {
    told.add(new Revision(COMPACTED, 0));
  }

  private Revision next() throws InterruptedException {
    Revision next = told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertThat(next).as("a call of the watcher within " + PATIENCE_SECONDS + " s").isNotNull();
    return next;
  }

  /** The revisions of the next calls, until and with this one. */
  List<Long> upTo(long last) throws InterruptedException {
    List<Long> revisions = new ArrayList<>();
    do {
      revisions.add(next().revision);
    } while (revisions.getLast() < last && revisions.getLast() != COMPACTED);
    return revisions;
  }

  /** How many changes the next call has. */
  int changes() throws InterruptedException {
    return next().changes;
  }

  boolean isCompacted() throws InterruptedException {
    return next().revision == COMPACTED;
  }

  boolean isEmpty() {
    return told.isEmpty();
  }

  static Thread start(String name, Runnable body) {
    return Thread.ofPlatform().daemon().name(name).start(body);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static Transaction put(String key, String value) {
    return new Transaction(List.of(), List.of(new Operation.Put(key, bytes(value))));
  }

  static Transaction putLeased(String key, String value, Store.Lease lease) {
    return new Transaction(List.of(), List.of(new Operation.Put(key, bytes(value), lease.id())));
  }

  static Transaction delete(String key) {
    return new Transaction(List.of(), List.of(new Operation.Delete(key)));
  }

  /** The link of a chain: it lands only when the key is at this revision. */
  static Transaction link(String key, long revision, String value) {
    return new Transaction(List.of(new Store.Compare.ModRevision(key, revision)), List.of(new Operation.Put(key, bytes(value))));
  }

  static long landed(Outcome outcome) {
    assertThat(outcome).isInstanceOf(Outcome.Committed.class);
    return ((Outcome.Committed) outcome).revision();
  }

  static String value(Store store, String key) {
    return store.get(key).map(entry -> new String(entry.value(), StandardCharsets.UTF_8)).orElse("none");
  }
}
