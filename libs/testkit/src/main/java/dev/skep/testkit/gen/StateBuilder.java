package dev.skep.testkit.gen;

import com.google.protobuf.Message;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.Guard;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Write;
import java.util.ArrayList;
import java.util.List;

/** A cluster state that is built up step by step; change sets land in it as in a store: guards first, all or nothing. */
public final class StateBuilder {
  private ClusterState state = ClusterState.empty();
  private List<RowChange> changes = new ArrayList<>();

  public ClusterState state() {
    return state;
  }

  /** What changed since this was last asked, as a control loop would hand it to a decider. */
  public Delta takeDelta() {
    Delta delta = Delta.NOTHING.then(Delta.of(changes));
    changes = new ArrayList<>();
    return delta;
  }

  public <T extends Message> StateBuilder put(Key<T> key, T value) {
    commit(List.of(new Write.Put<>(key, value)));
    return this;
  }

  public StateBuilder delete(Key<?> key) {
    commit(List.of(new Write.Delete(key)));
    return this;
  }

  /** Lands every change set whose guards hold, each at its own revision; tells how many were refused. */
  public int apply(Decision decision) {
    int refused = 0;
    for (ChangeSet set : decision.changes()) {
      if (!apply(set)) {
        refused++;
      }
    }
    return refused;
  }

  public boolean apply(ChangeSet set) {
    if (!set.guards().stream().allMatch(this::holds)) {
      return false;
    }
    commit(set.writes());
    return true;
  }

  private boolean holds(Guard guard) {
    Row<?> row = state.row(guard.key());
    return switch (guard) {
      case Guard.Present present -> row != null;
      case Guard.Absent absent -> row == null;
      case Guard.Unmodified unmodified -> row != null && row.modRevision() == unmodified.modRevision();
    };
  }

  private void commit(List<Write> writes) {
    long revision = state.revision() + 1;
    List<ClusterState.Stored> stored = new ArrayList<>();
    for (Write write : writes) {
      Row<?> before = state.row(write.key());
      stored.add(
          switch (write) {
            case Write.Put<?> put ->
                new ClusterState.Stored(
                    put.key().path(), put.value().toByteArray(), before == null ? revision : before.createRevision(), revision);
            case Write.Delete delete -> new ClusterState.Stored(delete.key().path(), null, 0, revision);
          });
    }
    ClusterState.Step step = state.apply(revision, stored);
    state = step.state();
    changes.addAll(step.changes());
  }
}
