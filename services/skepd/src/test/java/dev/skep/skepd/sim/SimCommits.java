package dev.skep.skepd.sim;

import dev.skep.backend.Store.Outcome;
import dev.skep.state.ChangeSet;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.SimView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** What one life of a dispatcher writes, and what waits for its view to show it. */
final class SimCommits {
  private record Waiting(long revision, Runnable body) {}

  private final SimProcess process;
  private final SimStore store;
  private final SimView view;
  private final String writer;
  private final List<Waiting> waiting = new ArrayList<>();
  private long floor;

  SimCommits(SimProcess process, SimStore store, SimView view, String writer) {
    this.process = process;
    this.store = store;
    this.view = view;
    this.writer = writer;
  }

  void commit(List<ChangeSet> sets, Consumer<Optional<Outcome>> answer) {
    store.submit(process, writer, Transactions.of(sets), outcome -> {
      outcome.ifPresent(this::learn);
      answer.accept(outcome);
    });
  }

  private void learn(Outcome outcome) {
    floor = Math.max(floor, switch (outcome) {
      case Outcome.Committed committed -> committed.revision();
      case Outcome.Conflict conflict -> conflict.revision();
    });
  }

  /** The view shows all that was written, and all that a write met. */
  boolean shown() {
    return view.state().revision() >= floor;
  }

  void whenShown(Runnable body) {
    whenAt(floor, body);
  }

  void whenAt(long revision, Runnable body) {
    if (view.state().revision() >= revision) {
      body.run();
    } else {
      waiting.add(new Waiting(revision, body));
    }
  }

  /** The view has moved. */
  void moved() {
    List<Waiting> ready = waiting.stream().filter(one -> one.revision <= view.state().revision()).toList();
    waiting.removeAll(ready);
    ready.forEach(one -> one.body.run());
  }

  @Override
  public String toString() {
    return "at " + view.state().revision() + ", floor " + floor;
  }
}
