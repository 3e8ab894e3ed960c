package dev.skep.relay.shell;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.skep.backend.Store;
import dev.skep.relay.core.Tenure;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;
import dev.skep.state.ClusterState;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.Tick;
import dev.skep.state.v1.LeaderRow;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/**
 * Whether this process is the one to relay. It stands for election as every control loop does, with a decider that never
 * wants anything: that it is asked says that we won. What the relay then appends is fenced by the log itself; the row
 * only keeps two relays from taking turns.
 */
final class Mandate implements Lead, AutoCloseable {
  private final AtomicReference<Tenure> tenure = new AtomicReference<>(Tenure.NONE);
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
    change(now -> now.won(state));
    return Decision.NOTHING;
  }

  private void look(ClusterState state) {
    change(now -> now.seen(state));
  }

  private void change(UnaryOperator<Tenure> how) {
    Tenure before = tenure.getAndUpdate(how);
    if (!how.apply(before).equals(before)) {
      changed.run();
    }
  }

  @Override
  public boolean held() {
    return tenure.get().held();
  }

  @Override
  public boolean confirmed(Store store) {
    LeaderRow row = store.get(Tenure.ROW.path()).map(Mandate::parsed).orElse(null);
    return tenure.updateAndGet(now -> now.confirmed(row)).held();
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
