package dev.skep.dispatcher.shell;

import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership;
import dev.skep.state.Key;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps this dispatcher's row in a shared store: on a lease, so that the others know when it is gone. */
final class PeerRow {
  private static final Logger LOG = LoggerFactory.getLogger(PeerRow.class);
  private static final Duration LIFE = Duration.ofSeconds(3);
  private static final long LOOK_MILLIS = 200;
  private static final long SOON_MILLIS = 20; // nodes wait
  private static final long LONGEST_PAUSE_MILLIS = 500; // nodes look for another dispatcher meanwhile

  private final Host host;
  private final String id;
  private final Key<DispatcherRow> key;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private volatile CompletableFuture<Boolean> there = new CompletableFuture<>();
  private volatile boolean served; // the others have known this dispatcher
  private Store.Lease lease; // its own thread only
  private DispatcherRow written = DispatcherRow.getDefaultInstance(); // its own thread only

  PeerRow(Host host, String id) {
    this.host = host;
    this.id = id;
    this.key = Rows.PEER.key(id);
  }

  /** This dispatcher as others find it now. */
  DispatcherRow row() {
    DispatcherRow.Builder row = DispatcherRow.newBuilder().setId(id);
    if (host.storeAccess().shared()) {
      row.setAddress(host.address());
      host.membership().current().ifPresent(own -> row.setNodeId(own.nodeId()));
    }
    return row.build();
  }

  /** Done while the row is in the store: a session with a dispatcher that others do not know is one with nobody. */
  CompletableFuture<Boolean> there() {
    return host.storeAccess().shared() ? there : CompletableFuture.completedFuture(true);
  }

  /** The others have known this dispatcher, and do not any more, or soon will not: it cannot keep its row. */
  boolean lost() {
    return served && stopped.getCount() > 0 && !there().isDone();
  }

  void run() {
    long pause = LOOK_MILLIS;
    try {
      do {
        try {
          look();
          pause = there.isDone() ? LOOK_MILLIS : SOON_MILLIS;
        } catch (StoreException e) {
          LOG.debug("this dispatcher's row cannot be kept: {}", e.getMessage());
          drop();
          pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
        }
      } while (!stopped.await(pause, TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      LOG.debug("the process ends");
    }
    drop();
  }

  private void look() {
    boolean wanted = host.membership().current().filter(Membership.Identity::manager).isPresent()
        && host.view().state().has(Rows.cluster()) && !host.address().isEmpty();
    if (!wanted) {
      drop();
      return;
    }
    DispatcherRow now = row();
    boolean seen = host.view().state().has(key);
    if (lease == null || !lease.alive()) {
      drop();
      lease = host.store().lease(LIFE);
    }
    if (!seen || !now.equals(written)) {
      Store.Outcome outcome = host.store().commit(new Store.Transaction(
          List.of(new Store.Compare.Exists(Rows.cluster().path())),
          List.of(new Store.Operation.Put(key.path(), now.toByteArray(), lease.id()))));
      if (outcome instanceof Store.Outcome.Committed(long revision)) {
        written = now;
        host.view().await(revision, LIFE);
        served = true;
        there.complete(true);
      }
    }
  }

  /** The row goes with the lease. */
  private void drop() {
    Optional<Store.Lease> before = Optional.ofNullable(lease);
    lease = null;
    written = DispatcherRow.getDefaultInstance();
    there = there.isDone() ? new CompletableFuture<>() : there;
    try {
      before.ifPresent(Store.Lease::close);
    } catch (StoreException e) {
      LOG.debug("the lease runs out by itself: {}", e.getMessage());
    }
  }

  void stop() {
    stopped.countDown();
  }
}
