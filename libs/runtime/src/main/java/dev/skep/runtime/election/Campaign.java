package dev.skep.runtime.election;

import dev.skep.backend.Store;
import dev.skep.runtime.View;
import dev.skep.runtime.loop.Candidacy;
import dev.skep.runtime.loop.LoopCore.Standing;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** How the loops of this process campaign against those of others: with its lease and its address, and watching the holders. */
public final class Campaign implements Candidacy, AutoCloseable {
  /** Where this process is. */
  public interface Place {
    /** Where others reach it; empty: nowhere yet. */
    String address();

    /** Its host; empty while that is in no cluster. */
    String nodeId();
  }

  private final Place place;
  private final View view;
  private final ProcessLease lease;
  private final Holders holders;
  private final List<Runnable> loops = new CopyOnWriteArrayList<>();
  private final AutoCloseable listening;

  /** @param me this process's holder id */
  public Campaign(
      String me, Place place, Store store, View view, Holders.Caller caller, Holders.Timer timer, Duration leaseLife) {
    this.place = place;
    this.view = view;
    this.lease = new ProcessLease(store, leaseLife, this::news);
    this.holders = new Holders(me, caller, timer, this::news);
    this.listening = view.listen(holders::moved);
  }

  /** The thread that keeps the lease. */
  public Runnable keeper() {
    return lease;
  }

  /** One more loop campaigns. {@code look}: something is different now. */
  public void loop(String name, Runnable look) {
    loops.add(look);
    holders.loop(name, view.state());
  }

  /** The lease, the address or what is believed of a holder changed. */
  public void news() {
    loops.forEach(Runnable::run);
  }

  @Override
  public Optional<Standing> standing() {
    var id = lease.id();
    return id.isEmpty() ? Optional.empty() : Optional.of(new Standing(place.address(), place.nodeId(), id.getAsLong()));
  }

  @Override
  public boolean gone(String holder) {
    return holders.gone(holder);
  }

  @Override
  public boolean contested() {
    return true;
  }

  /** After the loops have ended: the rows vanish, and others need not wait. */
  @Override
  public void close() {
    try {
      listening.close();
    } catch (Exception e) {
      throw new IllegalStateException("a view's listener that cannot be removed", e);
    }
    holders.close();
    lease.close();
  }
}
