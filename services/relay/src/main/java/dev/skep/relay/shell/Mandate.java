package dev.skep.relay.shell;

import dev.skep.backend.Store;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.v1.LeaderRow;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Whether this process is the one to relay. It stands for election as every control loop does, with a decider that never
 * wants anything: that it is asked says that we won. What the relay then appends is fenced by the log itself; the row
 * only keeps two relays from taking turns.
 */
final class Mandate implements Lead, AutoCloseable {
  static final Key<LeaderRow> ROW = Rows.LEADER.key("relay");

  private final AtomicReference<String> holder = new AtomicReference<>(""); // ours while we hold the row, as far as known
  private final Runnable changed;
  private final ControlLoop loop;
  private final AutoCloseable listening;

  /** @param changed called after {@link #held} may have changed, on threads that must not wait */
  Mandate(Host host, Runnable changed) {
    this.changed = changed;
    this.listening = host.view().listen((state, changes, reset) -> look(state));
    this.loop = host.loop("relay", this::won);
  }

  private Decision won(ClusterState state, Delta since, Tick tick) {
    LeaderRow row = state.value(ROW);
    if (row != null && !row.getHolder().equals(holder.getAndSet(row.getHolder()))) {
      changed.run();
    }
    return Decision.NOTHING;
  }

  private void look(ClusterState state) {
    String mine = holder.get();
    if (mine.isEmpty()) {
      return;
    }
    LeaderRow row = state.value(ROW);
    if ((row == null || !row.getHolder().equals(mine) || !state.has(Rows.cluster())) && holder.compareAndSet(mine, "")) {
      changed.run();
    }
  }

  @Override
  public boolean held() {
    return !holder.get().isEmpty();
  }

  @Override
  public boolean confirmed(Store store) {
    String mine = holder.get();
    boolean ours = !mine.isEmpty() && store.get(ROW.path()).map(entry -> parsed(entry).getHolder().equals(mine)).orElse(false);
    if (!ours) {
      holder.compareAndSet(mine, "");
    }
    return ours;
  }

  private static LeaderRow parsed(Store.Entry entry) {
    try {
      return LeaderRow.parseFrom(entry.value());
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the row " + entry.key() + " is no leader row", e);
    }
  }

  @Override
  public void close() {
    try {
      listening.close();
    } catch (Exception e) {
      throw new IllegalStateException("a view's listener that cannot be removed", e);
    }
    loop.close();
  }
}
