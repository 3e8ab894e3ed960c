package dev.skep.runtime.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.IdSource;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.ServiceRow;
import dev.skep.state.v1.TaskIntentRow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two processes run the same loop over one store, with commits that are lost or land late, views that lag, crashes, and
 * leases that run out while their owners do not know it.
 * The decider makes fresh ids, so that any commit that lands twice, or on an old view, shows as a task too many.
 */
class LoopChaosTest {
  private static final int TASKS = 3;
  private static final int SERVICES = 12;
  private static final Key<LeaderRow> LEADER = Rows.LEADER.key("tasks");

  private static final Decider THREE_TASKS_EACH = (state, since, tick) -> {
    Decision.Builder decision = Decision.builder();
    for (Row<ServiceRow> service : state.rows(Rows.SERVICE)) {
      String id = service.key().lastPart();
      for (int have = tasks(state, id); have < TASKS; have++) {
        decision.change(ChangeSet.about(id).present(service.key())
            .put(Rows.INTENT.key(tick.ids().next()), TaskIntentRow.newBuilder().setServiceId(id).build()));
      }
    }
    return decision.build();
  };

  private static int tasks(ClusterState state, String service) {
    int count = 0;
    for (String task : state.tasksOfService(service)) {
      assertThat(task).isNotEmpty();
      count++;
    }
    return count;
  }

  private final MemoryStore store = new MemoryStore();
  private final List<Transaction> wire = new ArrayList<>(); // commits that may still land
  private Instant now = Instant.parse("2026-11-21T00:00:00Z");
  private SplittableRandom random;
  private final Set<Long> ended = new HashSet<>(); // leases
  private long leases;
  private long rowsLease; // on which the leader row hangs
  private int started;
  private boolean faults = true;

  private final class Process {
    private String holder;
    private LoopCore core;
    private long seen;
    private long lease; // as far as it knows; 0: none

    private Process() {
      start();
    }

    private void start() {
      holder = "p" + started++;
      core = new LoopCore("tasks", new LoopCore.Candidate(holder, holder, false), THREE_TASKS_EACH, new IdSource(random.split()));
      lease = 0;
      core.stands(Optional.empty());
      seen = random.nextLong(store.revision() + 1); // a snapshot of any age
      core.viewMoved(seen == 0 ? ClusterState.empty() : store.step(seen).state(), List.of(), true);
    }

    private void lookAtLease() {
      if (lease == 0) {
        lease = ++leases;
        core.stands(Optional.of(new LoopCore.Standing(holder, lease)));
      } else if (ended.contains(lease)) {
        lease = 0;
        core.stands(Optional.empty());
      }
    }

    private void see() {
      long upTo = faults ? Math.min(store.revision(), seen + random.nextInt(4)) : store.revision();
      List<RowChange> changes = new ArrayList<>();
      while (seen < upTo) {
        seen++;
        changes.addAll(store.step(seen).changes());
      }
      if (!changes.isEmpty()) {
        core.viewMoved(store.step(seen).state(), changes, faults && random.nextInt(50) == 0);
      }
    }

    private void step() {
      switch (core.next(now)) {
        case Action.Commit commit -> commit(commit.transaction());
        case Action.ReadLeader read -> {
          if (faults && random.nextInt(4) == 0) {
            core.leaderReadFailed();
          } else {
            core.leaderRead(store.get(read.key()));
          }
        }
        case Action.Sleep sleep -> sleep.until().ifPresent(until -> {
          if (!faults || random.nextInt(5) == 0) {
            now = until.isAfter(now) ? until : now;
          }
        });
      }
    }

    private void commit(Transaction transaction) {
      switch (faults ? random.nextInt(6) : 5) {
        case 0 -> core.unknown(); // lost
        case 1 -> {
          wire.add(transaction);
          core.unknown();
        }
        case 2 -> {
          land(transaction);
          core.unknown();
        }
        default -> land(transaction).ifPresentOrElse(core::committed, core::unknown);
      }
    }
  }

  /** Empty: the store refuses it, as its lease has ended. */
  private Optional<Outcome> land(Transaction transaction) {
    long lease = transaction.operations().stream().filter(operation -> operation.key().equals(LEADER.path()))
        .mapToLong(operation -> ((Operation.Put) operation).leaseId()).sum();
    if (ended.contains(lease)) {
      return Optional.empty();
    }
    Outcome outcome = store.commit(transaction);
    if (outcome instanceof Outcome.Committed) {
      rowsLease = lease;
    }
    for (Row<ServiceRow> service : store.state().rows(Rows.SERVICE)) {
      assertThat(tasks(store.state(), service.key().lastPart())).as("tasks of " + service.key()).isLessThanOrEqualTo(TASKS);
    }
    return Optional.of(outcome);
  }

  private void endLease(long lease) {
    ended.add(lease);
    if (lease == rowsLease && store.state().has(LEADER)) {
      store.delete(LEADER);
    }
  }

  /** Whoever watches the holder tells the others when it is gone. */
  private void tellTheGone(List<Process> processes) {
    Row<LeaderRow> row = store.state().row(LEADER);
    if (row != null && processes.stream().noneMatch(process -> process.holder.equals(row.value().getHolder()))) {
      processes.forEach(process -> process.core.holderGone(row.modRevision()));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void noTaskTooManyAndInTheEndAllOfThem(int block) {
    for (int i = 0; i < 50; i++) {
      long seed = block * 1_000L + i;
      try {
        new LoopChaosTest().run(seed);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
  }

  private void run(long seed) {
    random = new SplittableRandom(seed);
    List<Process> processes = List.of(new Process(), new Process());
    int services = 0;
    for (int step = 0; step < 600; step++) {
      Process process = processes.get(random.nextInt(2));
      switch (random.nextInt(20)) {
        case 0 -> {
          if (services < SERVICES) {
            store.put(Rows.SERVICE.key("s" + services++), ServiceRow.getDefaultInstance());
          }
        }
        case 1 -> {
          if (!wire.isEmpty()) {
            land(wire.remove(random.nextInt(wire.size())));
          }
        }
        case 2 -> {
          if (random.nextInt(4) == 0) {
            process.start();
          }
        }
        case 3 -> tellTheGone(processes);
        case 10 -> process.lookAtLease();
        case 11 -> {
          if (process.lease != 0 && random.nextInt(4) == 0) {
            endLease(process.lease);
          }
        }
        case 4 -> now = now.plusMillis(random.nextInt(100));
        case 5, 6, 7, 8, 9 -> process.see();
        default -> process.step();
      }
    }
    faults = false;
    wire.forEach(this::land);
    for (int step = 0; step < 400; step++) {
      tellTheGone(processes);
      processes.forEach(Process::lookAtLease);
      processes.forEach(Process::see);
      processes.forEach(Process::step);
    }
    for (int i = 0; i < services; i++) {
      assertThat(tasks(store.state(), "s" + i)).as("tasks of s" + i).isEqualTo(TASKS);
    }
  }
}
