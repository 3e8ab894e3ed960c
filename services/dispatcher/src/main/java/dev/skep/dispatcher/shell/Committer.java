package dev.skep.dispatcher.shell;

import dev.skep.backend.Store;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.StoreException;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.runtime.View;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one writer of this dispatcher's rows. It plans on a view at or above its own last commit, so that a state is never
 * judged against an older one. Nothing waits for company: whatever came while a commit was under way shares the next.
 */
final class Committer {
  private static final Logger LOG = LoggerFactory.getLogger(Committer.class);
  private static final int ROUND = 256;
  private static final int ATTEMPTS = 20;
  private static final Duration BACK_OFF = Duration.ofMillis(50);
  private static final Duration LONGEST_BACK_OFF = Duration.ofSeconds(1);

  private final Store store;
  private final View view;
  private final Duration patience;
  private final BlockingQueue<Proposal> queue;
  private final Deque<Proposal> first = new ArrayDeque<>(); // left over from an earlier round, in order
  private volatile boolean stopped;
  private long lastCommit;
  private Duration backOff = BACK_OFF;

  /** A proposal and what of it is not committed yet. */
  private record Planned(Proposal proposal, List<ChangeSet> changes) {}

  Committer(Store store, View view, DispatcherConfig config) {
    this.store = store;
    this.view = view;
    this.patience = config.storePatience();
    this.queue = new ArrayBlockingQueue<>(config.maxPendingWrites());
  }

  /** The future fails with UNAVAILABLE when the store does not answer, or too much waits for it already. */
  CompletableFuture<Long> submit(Proposal proposal) {
    if (stopped || !queue.offer(proposal)) {
      proposal.done().completeExceptionally(unavailable("too many writes wait for the store"));
    }
    return proposal.done();
  }

  void stop() {
    stopped = true;
    queue.offer(Proposal.of(state -> new Proposal.Plan.Write(List.of()))); // wakes the thread
  }

  void run() {
    List<Proposal> round = new ArrayList<>();
    try {
      while (!stopped) {
        round.clear();
        if (first.isEmpty()) {
          round.add(queue.take());
        } else {
          round.addAll(first);
          first.clear();
        }
        queue.drainTo(round, Math.max(0, ROUND - round.size()));
        write(round);
      }
    } catch (InterruptedException e) {
      if (!stopped) {
        throw new IllegalStateException("nobody interrupts a dispatcher that runs", e);
      }
    } finally {
      stopped = true;
      queue.drainTo(round);
      round.addAll(first);
      round.forEach(proposal -> proposal.done().completeExceptionally(unavailable("the dispatcher stops")));
    }
  }

  private void write(List<Proposal> round) throws InterruptedException {
    List<Proposal> open = new ArrayList<>(round);
    try {
      ClusterState state = view.await(lastCommit, patience);
      List<Planned> planned = new ArrayList<>();
      Set<String> written = new HashSet<>();
      for (Proposal proposal : round) {
        plan(proposal, state, written, planned);
      }
      open = new ArrayList<>(planned.stream().map(Planned::proposal).toList());
      commit(planned);
      backOff = BACK_OFF;
    } catch (StoreException e) {
      LOG.warn("the store does not take the dispatcher's writes: {}", e.getMessage());
      for (Proposal proposal : open) {
        proposal.done().completeExceptionally(unavailable(e.told()));
      }
      TimeUnit.NANOSECONDS.sleep(backOff.toNanos());
      backOff = backOff.multipliedBy(2).compareTo(LONGEST_BACK_OFF) > 0 ? LONGEST_BACK_OFF : backOff.multipliedBy(2);
    }
  }

  /** A proposal about a row that an earlier one of the round writes waits for the next: it has to see what that wrote. */
  private void plan(Proposal proposal, ClusterState state, Set<String> written, List<Planned> planned) {
    switch (proposal.plan().apply(state)) {
      case Proposal.Plan.Refuse refuse -> proposal.done().completeExceptionally(refuse.why().asRuntimeException());
      case Proposal.Plan.Write write when write.changes().isEmpty() -> proposal.done().complete(state.revision());
      case Proposal.Plan.Write write -> {
        if (write.changes().stream().anyMatch(change -> Batch.touches(change, written))) {
          first.add(proposal);
        } else {
          write.changes().forEach(change -> change.writes().forEach(one -> written.add(one.key().path())));
          planned.add(new Planned(proposal, write.changes()));
        }
      }
    }
  }

  /** All of them; whom a conflict met is planned again, at last alone. */
  private void commit(List<Planned> planned) {
    Deque<List<Planned>> rest = new ArrayDeque<>(split(planned));
    int attempts = 0;
    while (!rest.isEmpty()) {
      List<Planned> batch = rest.removeFirst();
      switch (transact(batch)) {
        case Outcome.Committed committed -> {
          lastCommit = committed.revision();
          batch.forEach(one -> one.proposal.done().complete(committed.revision()));
        }
        case Outcome.Conflict conflict -> {
          attempts++;
          lastCommit = Math.max(lastCommit, conflict.revision());
          again(batch, attempts).reversed().forEach(rest::addFirst);
        }
      }
    }
  }

  private List<List<Planned>> again(List<Planned> batch, int attempts) {
    if (attempts > ATTEMPTS) {
      batch.forEach(one -> one.proposal.done().completeExceptionally(unavailable("the row changes all the time")));
      return List.of();
    }
    ClusterState state = view.await(lastCommit, patience);
    List<Planned> planned = new ArrayList<>();
    batch.forEach(one -> plan(one.proposal, state, new HashSet<>(), planned));
    if (planned.size() < 2) {
      return split(planned);
    }
    int half = planned.size() / 2;
    List<List<Planned>> parts = new ArrayList<>(split(planned.subList(0, half)));
    parts.addAll(split(planned.subList(half, planned.size())));
    return parts;
  }

  private static List<List<Planned>> split(List<Planned> planned) {
    List<List<Planned>> batches = new ArrayList<>();
    List<Planned> batch = new ArrayList<>();
    int operations = 0;
    for (Planned one : planned) {
      int size = Batch.operations(one.changes);
      if (!batch.isEmpty() && operations + size > ChangeSet.MAX_OPERATIONS) {
        batches.add(batch);
        batch = new ArrayList<>();
        operations = 0;
      }
      batch.add(one);
      operations += size;
    }
    if (!batch.isEmpty()) {
      batches.add(batch);
    }
    return batches;
  }

  /** One proposal may be larger than a transaction: then its parts land in order, and a conflict plans the rest again. */
  private Outcome transact(List<Planned> batch) {
    List<ChangeSet> changes = batch.stream().flatMap(one -> one.changes.stream()).toList();
    Outcome outcome = null;
    for (Store.Transaction transaction : Batch.transactions(changes)) {
      outcome = store.commit(transaction);
      if (outcome instanceof Outcome.Conflict) {
        return outcome;
      }
    }
    return outcome;
  }

  static StatusRuntimeException unavailable(String why) {
    return Status.UNAVAILABLE.withDescription(why).asRuntimeException();
  }
}
