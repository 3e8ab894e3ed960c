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
import java.util.Optional;

/**
 * Whether this process is the one to relay. It stands for election as every control loop does, with a decider that never
 * wants anything: that it is asked says that we won. What the relay then appends is fenced by the log itself; the row
 * only keeps two relays from taking turns.
 */
final class Mandate implements Lead, AutoCloseable {
  private final Tenure tenure = new Tenure(); // guarded by itself
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
    boolean news;
    synchronized (tenure) {
      news = tenure.won(state);
    }
    if (news) {
      changed.run();
    }
    return Decision.NOTHING;
  }

  private void look(ClusterState state) {
    boolean over;
    synchronized (tenure) {
      over = tenure.seen(state);
    }
    if (over) {
      changed.run();
    }
  }

  @Override
  public boolean held() {
    synchronized (tenure) {
      return tenure.held();
    }
  }

  @Override
  public boolean confirmed(Store store) {
    Optional<Store.Entry> entry = store.get(Tenure.ROW.path());
    synchronized (tenure) {
      return tenure.confirmed(entry.map(Mandate::parsed).orElse(null));
    }
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
