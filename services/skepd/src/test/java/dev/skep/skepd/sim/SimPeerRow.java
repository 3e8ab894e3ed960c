package dev.skep.skepd.sim;

import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import dev.skep.testkit.sim.SimLease;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.SimView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Keeps a dispatcher's row in a shared store, as the real one does: on the lease of its process. */
final class SimPeerRow {
  private static final Duration LOOK = Duration.ofMillis(200);

  private final SimProcess process;
  private final SimStore store;
  private final SimView view;
  private final Optional<SimLease> lease;
  private final DispatcherRow row;
  private final Key<DispatcherRow> key;
  private final List<Runnable> waiting = new ArrayList<>();
  private long writtenWith;
  private boolean writing;
  private boolean there;

  /** @param lease empty: the store is not shared, and there is no row */
  SimPeerRow(SimProcess process, SimStore store, SimView view, Optional<SimLease> lease, String id) {
    this.process = process;
    this.store = store;
    this.view = view;
    this.lease = lease;
    this.row = DispatcherRow.newBuilder().setId(id).setAddress(lease.isEmpty() ? "" : process.name()).build();
    this.key = Rows.PEER.key(id);
    if (lease.isPresent()) {
      look();
    }
  }

  DispatcherRow row() {
    return row;
  }

  /** Runs when the others know of this dispatcher. */
  void whenThere(Runnable body) {
    if (there || lease.isEmpty()) {
      body.run();
    } else {
      waiting.add(body);
    }
  }

  /** The others have known this dispatcher, and do not any more, or soon will not. */
  boolean lost() {
    return writtenWith != 0 && !there;
  }

  private void look() {
    process.after(LOOK, this::look);
    long id = lease.orElseThrow().id().orElse(0);
    if (id == 0 || id != writtenWith && !writing) {
      there = false;
    }
    boolean wanted = id != 0 && view.state().has(Rows.cluster());
    if (!wanted || writing || id == writtenWith && view.state().has(key)) {
      return;
    }
    writing = true;
    store.submit(process, SimDispatcher.WRITER + row.getId(),
        new Transaction(List.of(new Compare.Exists(Rows.cluster().path())), List.of(new Operation.Put(key.path(), row.toByteArray(), id))),
        outcome -> {
          writing = false;
          if (outcome.isPresent() && outcome.get() instanceof Outcome.Committed) {
            writtenWith = id;
            there = true;
            List<Runnable> now = List.copyOf(waiting);
            waiting.clear();
            now.forEach(Runnable::run);
          }
        });
  }
}
