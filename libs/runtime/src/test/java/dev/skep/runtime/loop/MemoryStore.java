package dev.skep.runtime.loop;

import dev.skep.backend.Store.Compare;
import dev.skep.backend.Store.Entry;
import dev.skep.backend.Store.Operation;
import dev.skep.backend.Store.Outcome;
import dev.skep.backend.Store.Transaction;
import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Key;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A store in one thread, with every state it ever had: views can be as old as a test wants. */
final class MemoryStore {
  private final Map<String, Entry> entries = new TreeMap<>();
  private final List<ClusterState.Step> steps = new ArrayList<>();
  private ClusterState state = ClusterState.empty();

  Outcome commit(Transaction transaction) {
    for (Compare compare : transaction.compares()) {
      Entry entry = entries.get(compare.key());
      boolean holds = switch (compare) {
        case Compare.Exists exists -> entry != null;
        case Compare.ModRevision at -> (entry == null ? 0 : entry.modRevision()) == at.revision();
      };
      if (!holds) {
        return new Outcome.Conflict(revision());
      }
    }
    long revision = revision() + 1;
    List<Stored> changes = new ArrayList<>();
    for (Operation operation : transaction.operations()) {
      Entry before = entries.get(operation.key());
      long created = before == null ? revision : before.createRevision();
      switch (operation) {
        case Operation.Put put -> {
          entries.put(put.key(), new Entry(put.key(), put.value(), created, revision));
          changes.add(new Stored(put.key(), put.value(), created, revision));
        }
        case Operation.Delete delete -> {
          entries.remove(delete.key());
          changes.add(new Stored(delete.key(), null, created, revision));
        }
      }
    }
    ClusterState.Step step = state.apply(revision, changes);
    state = step.state();
    steps.add(step);
    return new Outcome.Committed(revision);
  }

  <T extends Message> long put(Key<T> key, T value) {
    return ((Outcome.Committed) commit(new Transaction(List.of(), List.of(new Operation.Put(key.path(), value.toByteArray()))))).revision();
  }

  long delete(Key<?> key) {
    return ((Outcome.Committed) commit(new Transaction(List.of(), List.of(new Operation.Delete(key.path()))))).revision();
  }

  Optional<Entry> get(String key) {
    return Optional.ofNullable(entries.get(key));
  }

  long revision() {
    return state.revision();
  }

  ClusterState state() {
    return state;
  }

  /** The move of the view from {@code revision - 1} to {@code revision}. */
  ClusterState.Step step(long revision) {
    return steps.get((int) revision - 1);
  }
}
