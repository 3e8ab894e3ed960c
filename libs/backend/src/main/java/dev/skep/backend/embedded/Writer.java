package dev.skep.backend.embedded;

import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.backend.StoreException;
import dev.skep.backend.Threads;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that writes. What waits is written together in one durable transaction (group commit), so that many
 * callers share one flush of the disk.
 */
final class Writer {
  private static final Logger LOG = LoggerFactory.getLogger(Writer.class);
  private static final int QUEUE = 1024;
  private static final int GROUP = 256;
  private static final int COMPACT_EVERY = 256; // revisions: small steps, so that no commit waits long behind one

  private sealed interface Request<T> {
    CompletableFuture<T> answer();

    record Commit(Transaction transaction, CompletableFuture<Outcome> answer) implements Request<Outcome> {}

    record Compact(long oldest, CompletableFuture<Void> answer) implements Request<Void> {}

    record Grant(Duration timeToLive, CompletableFuture<Leases.Held> answer) implements Request<Leases.Held> {}

    record Revoke(long lease, CompletableFuture<Void> answer) implements Request<Void> {}

    record Close(CompletableFuture<Void> answer) implements Request<Void> {}
  }

  private record Answer(Request.Commit commit, Outcome outcome) {}

  private final Path folder;
  private final Latest latest;
  private final History history;
  private final Leases leases;
  private final long retainRevisions;
  private final BlockingQueue<Request<?>> queue = new ArrayBlockingQueue<>(QUEUE);
  private Thread thread; // set once, before anybody can ask
  private volatile boolean ended;

  // of the writer thread only
  private Database database;
  private Group doubtful; // a group of which the disk could not say whether it landed
  private Group group;
  private List<Answer> answers = new ArrayList<>();

  Writer(Path folder, Database database, Latest latest, History history, Leases leases, long retainRevisions) {
    this.folder = folder;
    this.database = database;
    this.latest = latest;
    this.history = history;
    this.leases = leases;
    this.retainRevisions = retainRevisions;
  }

  void start(Threads threads) {
    thread = threads.start("store-writer", this::run);
  }

  Outcome commit(Transaction transaction) {
    return ask(new Request.Commit(transaction, new CompletableFuture<>()));
  }

  void compact(long oldest) {
    ask(new Request.Compact(oldest, new CompletableFuture<>()));
  }

  Leases.Held grant(Duration timeToLive) {
    return ask(new Request.Grant(timeToLive, new CompletableFuture<>()));
  }

  void revoke(long lease) {
    ask(new Request.Revoke(lease, new CompletableFuture<>()));
  }

  private <T> T ask(Request<T> request) {
    try {
      if (ended) {
        throw closed();
      }
      queue.put(request);
      if (ended && queue.remove(request)) {
        throw closed(); // it came in behind the last thing that the writer did
      }
      return request.answer().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while the store worked: what became of it is unknown", e);
    } catch (java.util.concurrent.ExecutionException e) {
      throw e.getCause() instanceof StoreException failure
          ? failure.getClass() == StoreException.class ? new StoreException(failure.getMessage(), failure) : failure
          : new StoreException("the store failed", e.getCause());
    }
  }

  private StoreException closed() {
    return new StoreException("the store in " + folder + " is closed");
  }

  void close() {
    try {
      queue.put(new Request.Close(new CompletableFuture<>()));
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    List<Request<?>> batch = new ArrayList<>();
    try {
      boolean open = true;
      while (open) {
        batch.clear();
        next(batch);
        open = process(batch);
      }
      leases.revokeAll();
      if (database != null) {
        database.close();
      }
    } finally {
      ended = true; // also when it failed: nobody must wait for a writer that is no more
      queue.drainTo(batch);
      batch.forEach(request -> request.answer().completeExceptionally(closed()));
    }
  }

  /** What waits, up to a group; nothing when a lease wants attention first. */
  private void next(List<Request<?>> batch) {
    try {
      long wait = leases.untilRenewal();
      Request<?> first = wait < 0 ? queue.take() : queue.poll(wait, TimeUnit.NANOSECONDS);
      if (first != null) {
        batch.add(first);
        queue.drainTo(batch, GROUP - 1);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts the writer", e);
    }
  }

  private boolean process(List<Request<?>> batch) {
    boolean open = true;
    try {
      settle();
    } catch (StoreException e) {
      for (Request<?> request : batch) {
        open &= !(request instanceof Request.Close);
        request.answer().completeExceptionally(e);
      }
      return open;
    }
    group = new Group(latest, leases);
    leases.renew();
    for (Request<?> request : batch) {
      switch (request) {
        case Request.Commit commit -> add(commit);
        case Request.Grant grant -> grant.answer().complete(leases.grant(grant.timeToLive()));
        case Request.Revoke revoke -> {
          flush();
          leases.revoke(revoke.lease());
          sweep();
          revoke.answer().complete(null);
        }
        case Request.Compact compact -> {
          flush();
          answer(compact);
        }
        case Request.Close close -> open = false;
      }
    }
    flush();
    sweep();
    retain();
    return open;
  }

  private void add(Request.Commit commit) {
    try {
      answers.add(new Answer(commit, group.add(commit.transaction())));
    } catch (StoreException e) {
      commit.answer().completeExceptionally(e);
    }
  }

  /** Deletes the keys of ended leases. If the disk refuses, the next round tries again. */
  private void sweep() {
    List<Transaction> sweeps = leases.sweep();
    if (!sweeps.isEmpty()) {
      sweeps.forEach(group::add);
      flush();
    }
  }

  private void flush() {
    Group landed = group;
    List<Answer> told = answers;
    answers = new ArrayList<>();
    if (!landed.isEmpty()) {
      try {
        write(landed);
      } catch (StoreException e) {
        LOG.error("a commit failed: {}", e.getMessage());
        group = new Group(latest, leases);
        told.forEach(answer -> answer.commit.answer().completeExceptionally(e));
        return;
      }
      publish(landed);
      group = new Group(latest, leases);
    }
    told.forEach(answer -> answer.commit.answer().complete(answer.outcome));
  }

  private void write(Group landing) {
    try {
      database().write(landing.revisions());
    } catch (StoreException e) {
      doubtful = landing;
      settle();
      if (latest.revision() < landing.revision()) {
        throw e;
      }
    }
  }

  /** After a failed write: looks at what the disk holds, before anything else is decided. */
  private void settle() {
    if (doubtful == null) {
      return;
    }
    try {
      long durable = database().revision();
      Group asked = doubtful;
      doubtful = null;
      if (durable == asked.revision()) {
        publish(asked);
      } else if (durable != latest.revision()) {
        throw new IllegalStateException("revision " + durable + " on the disk, " + latest.revision() + " in memory");
      }
    } catch (StoreException e) {
      Database broken = database;
      database = null;
      if (broken != null) {
        closeBroken(broken);
      }
      throw e;
    }
  }

  private static void closeBroken(Database broken) {
    try {
      broken.close();
    } catch (StoreException e) {
      LOG.warn("{}", e.getMessage());
    }
  }

  private Database database() {
    if (database == null) {
      database = Database.open(folder);
    }
    return database;
  }

  private void publish(Group landed) {
    List<Revised> revisions = landed.published();
    leases.published(landed.revisions());
    if (latest.revision() < landed.revision()) {
      latest.publish(revisions);
      history.publish(revisions);
    }
  }

  private void answer(Request.Compact asked) {
    try {
      if (asked.oldest() > latest.revision()) {
        throw new StoreException("revision " + asked.oldest() + " is not there yet");
      }
      forgetBefore(asked.oldest());
      asked.answer().complete(null);
    } catch (StoreException e) {
      asked.answer().completeExceptionally(e);
    }
  }

  private void forgetBefore(long oldest) {
    if (oldest > history.oldest()) {
      database().compact(history.oldest(), oldest);
      history.compacted(oldest);
    }
  }

  /** Keeps the history bounded. If the disk refuses, the next group tries again. */
  private void retain() {
    if (latest.revision() - history.oldest() >= retainRevisions + COMPACT_EVERY) {
      try {
        forgetBefore(latest.revision() - retainRevisions);
      } catch (StoreException e) {
        LOG.warn("the history grows: {}", e.getMessage());
      }
    }
  }
}
