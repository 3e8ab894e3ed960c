package dev.skep.controlapi.shell;

import dev.skep.backend.StoreException;
import dev.skep.controlapi.core.ManagerChanges;
import dev.skep.runtime.Host;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shuts hosts out of store and log that are no managers any more, whatever made them so, and also when the manager that was
 * told to died over it. Every manager does it: who is late finds nothing to do.
 */
final class UserSweep implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UserSweep.class);
  private static final Duration RETRY = Duration.ofSeconds(5);

  private final Host host;
  private final Cluster cluster;
  private final ManagerUsers users;
  private final AtomicBoolean working = new AtomicBoolean();
  private final AutoCloseable listening;
  private volatile AutoCloseable timer = () -> {};
  private volatile Optional<Set<String>> kept = Optional.empty(); // who may have been left by the last sweep
  private volatile boolean closed;
  private String said = "";

  UserSweep(Host host, Cluster cluster, ManagerUsers users) {
    this.host = host;
    this.cluster = cluster;
    this.users = users;
    this.listening = host.view().listen(this::moved);
  }

  /** On the view's thread. */
  private void moved(ClusterState state, List<RowChange> changes, boolean reset) {
    if (users.kept(state) && (reset || changes.stream().anyMatch(UserSweep::matters))) {
      look();
    }
  }

  private static boolean matters(RowChange change) {
    return change.of(Rows.NODE_SPEC) || change.of(Rows.SESSION) || change.of(Rows.PEER) || change.of(Rows.SEALED);
  }

  /** Must not block. */
  private void look() {
    ClusterState state = host.view().state();
    ManagerChanges now = ManagerChanges.of(state, host.clock().instant());
    if (closed || !users.kept(state) || !concerned(state)) {
      return;
    }
    if (kept.filter(now.nodeIds()::containsAll).isPresent()) {
      kept = Optional.of(now.nodeIds());
      again(now.until());
    } else if (working.compareAndSet(false, true)) {
      host.blocking("control-api-users", this::sweep);
    }
  }

  /** Who is to be shut out does not do it itself. */
  private boolean concerned(ClusterState state) {
    return cluster.member(state).filter(self -> ManagerChanges.manages(state, self.nodeId())).isPresent();
  }

  private void sweep() {
    Set<String> stayed = new TreeSet<>(); // of those that were asked for, any may still have users
    try {
      Set<String> gone = users.keepOnly(() -> {
        Set<String> now = ManagerChanges.of(host.view().fresh(Commits.LIMIT), host.clock().instant()).nodeIds();
        stayed.addAll(now);
        return now;
      });
      kept = Optional.of(Set.copyOf(stayed));
      said = "";
      if (!gone.isEmpty()) {
        LOG.info("shut out of store and log, as no managers any more: {}", String.join(", ", gone));
      }
      working.set(false);
      look(); // at what happened meanwhile
    } catch (StoreException e) {
      if (!String.valueOf(e.getMessage()).equals(said)) {
        said = String.valueOf(e.getMessage());
        LOG.warn("hosts that are no managers any more cannot be shut out yet: {}", said);
      }
      working.set(false);
      again(Optional.of(host.clock().instant().plus(RETRY)));
    }
  }

  private void again(Optional<Instant> when) {
    when.ifPresent(at -> {
      Cluster.close(timer);
      Duration wait = Duration.between(host.clock().instant(), at);
      timer = host.after(wait.isNegative() ? Duration.ZERO : wait.plusMillis(1), this::look);
    });
  }

  @Override
  public void close() {
    closed = true;
    Cluster.close(listening);
    Cluster.close(timer);
  }
}
