package dev.skep.dispatcher.shell;

import dev.skep.certificates.v1.Manager;
import dev.skep.dispatcher.core.Assignments;
import dev.skep.dispatcher.core.ClusterTrust;
import dev.skep.dispatcher.core.Concerns;
import dev.skep.dispatcher.core.FeedKeys;
import dev.skep.dispatcher.core.FeedView;
import dev.skep.dispatcher.core.Holding;
import dev.skep.dispatcher.core.RegistrationLimit;
import dev.skep.dispatcher.core.Stamp;
import dev.skep.dispatcher.core.Withdrawals;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.Beat;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.ClusterState;
import dev.skep.state.Restored;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.PlacementRow;
import dev.skep.state.v1.SessionRow;
import io.grpc.Status;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open sessions and what flows to them. All but the look-up by session id belongs to the dispatcher's thread.
 */
final class Sessions implements Desk.Work {
  private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);
  static final Status OVER = Status.UNAUTHENTICATED.withDescription("the session is over: register again");

  private final String me;
  private final Clock clock;
  private final DispatcherMetrics metrics;
  private final Watch watch;
  private final LogDesk logs;
  private final Credentials credentials;
  private final Supplier<Optional<Manager>> own;
  private final Map<String, NodeSession> byId = new ConcurrentHashMap<>(); // read by calls
  private final Map<String, NodeSession> byNode = new HashMap<>();
  private final Map<String, RegistrationLimit> limits = new HashMap<>();
  private final TreeMap<String, FeedEntry> feed = new TreeMap<>();
  private ClusterState state = ClusterState.empty();
  private Peers peers; // set before the dispatcher's thread starts
  private Optional<Manager> ownKnown = Optional.empty();
  private ClusterTrust trust; // null: to be looked at
  private boolean appliedMoved; // since the other dispatchers were told
  private Withdrawals withdrawals = Withdrawals.NONE;
  private boolean withheld; // a restored cluster waits: nodes are told nothing

  /**
   * @param me this dispatcher's id
   * @param own this manager, as others reach it
   */
  Sessions(
      String me, Clock clock, DispatcherMetrics metrics, Watch watch, LogDesk logs, Credentials credentials, Supplier<Optional<Manager>> own) {
    this.me = me;
    this.credentials = credentials;
    this.own = own;
    this.clock = clock;
    this.metrics = metrics;
    this.watch = watch;
    this.logs = logs;
  }

  /** The session, if it is open and the node's own. From any thread. */
  Optional<NodeSession> find(String nodeId, String sessionId) {
    NodeSession session = byId.get(sessionId);
    return session != null && session.nodeId().equals(nodeId) ? Optional.of(session) : Optional.empty();
  }

  // ---- inputs ----

  /** Whether the node may register now; if so, it counts. */
  boolean admit(String nodeId, Instant now) {
    Optional<RegistrationLimit> limit = limits.getOrDefault(nodeId, RegistrationLimit.FRESH).admit(now);
    limit.ifPresent(counted -> limits.put(nodeId, counted));
    return limit.isPresent();
  }

  /** The node is about to be written down as ready: whoever judges it before it beats must know that it was here. */
  void registering(String nodeId, Instant now) {
    NodeSession session = byNode.get(nodeId);
    if (session == null) {
      watch.knocked(nodeId, now);
    } else {
      watch.heard(nodeId, now, session.inProcess());
    }
  }

  void open(NodeSession session, Instant now) {
    NodeSession before = byNode.get(session.nodeId());
    if (before != null) {
      close(before, OVER, now);
    }
    byNode.put(session.nodeId(), session);
    byId.put(session.key().sessionId(), session);
    appliedMoved = true;
    metrics.sessions().set(byNode.size());
    watch.heard(session.nodeId(), now, session.inProcess());
    logs.sessionOpened(session);
    if (session.servedBy(state)) {
      checkSession(session.nodeId()); // what replaced it may have been looked at before it came
    }
  }

  /** The node went away, or its session was replaced. */
  void close(NodeSession session, Status why, Instant now) {
    if (byId.remove(session.key().sessionId(), session)) {
      byNode.remove(session.nodeId(), session);
      metrics.sessions().set(byNode.size());
      watch.heard(session.nodeId(), now, session.inProcess());
      session.close(why);
      logs.sessionClosed(session, state);
      appliedMoved = true;
    }
  }

  void beat(NodeSession session, Beat beat, Instant now) {
    if (byId.get(session.key().sessionId()) == session) {
      watch.heard(session.nodeId(), now, session.inProcess());
      if (session.applied(beat.getFeedEpoch(), beat.getFeedRevision())) {
        appliedMoved = true;
        release(now);
      }
    }
  }

  /** What the dispatcher's thread knows. */
  ClusterState state() {
    return state;
  }

  LogDesk logs() {
    return logs;
  }

  Peers peers() {
    return peers;
  }

  void peers(Peers others) {
    peers = others;
  }

  /** Another dispatcher told how far its nodes are. */
  void peersMoved() {
    release(clock.instant());
  }

  void closeAll(Status why) {
    logs.closeAll();
    List.copyOf(byNode.values()).forEach(session -> close(session, why, clock.instant()));
  }

  // ---- the state moves ----

  @Override
  public void moved(ClusterState now, List<RowChange> changes) {
    state = now;
    withhold();
    Withdrawals before = withdrawals;
    withdrawals = withdrawals.moved(state, changes, clock.instant());
    concern(Concerns.of(state, changes));
    concern(Concerns.ofTasks(state, withdrawals.changedFrom(before)));
    feed(FeedKeys.concerned(state, changes));
    boolean dispatchers = false;
    for (RowChange change : changes) {
      if (change.of(Rows.SESSION) || (change.of(Rows.NODE_SPEC) && change.after() == null)) {
        checkSession(change.key().lastPart());
      }
      trust = ClusterTrust.movesManagers(change) ? null : trust;
      dispatchers |= change.of(Rows.PEER);
      if (change.of(Rows.NODE_SPEC) && byNode.containsKey(change.key().lastPart())) {
        byNode.get(change.key().lastPart()).specMoved();
      }
    }
    if (dispatchers) {
      peers.look(state);
    }
    logs.moved(state, changes);
    release(clock.instant());
  }

  @Override
  public void reset(ClusterState now) {
    state = now;
    withhold();
    withdrawals = Withdrawals.afterReset(state, clock.instant());
    byNode.values().forEach(session -> session.concernAll(state, withdrawals));
    Map<String, FeedEntry> all = FeedView.all(state);
    List<String> keys = new ArrayList<>(feed.keySet());
    keys.addAll(all.keySet());
    feed(keys);
    List.copyOf(byNode.keySet()).forEach(this::checkSession);
    trust = null;
    byNode.values().forEach(NodeSession::specMoved);
    peers.look(state);
    logs.reset(state);
    release(clock.instant());
  }

  private void withhold() {
    Optional<String> notice = Restored.notice(state);
    if (notice.isPresent() && !withheld) {
      LOG.warn("{}", notice.get());
    } else if (notice.isEmpty() && withheld) {
      LOG.info("the restored state is confirmed: nodes are told what it says");
      withdrawals = Withdrawals.afterReset(state, clock.instant()); // of what shall stop the edges were never told
    }
    withheld = notice.isPresent();
    metrics.unconfirmed().set(withheld ? 1 : 0);
  }

  /** Of a dispatcher that is gone the own host's agent had its session there, and is gone with it. */
  void orphaned(Peers.Gone gone) {
    String node = gone.row().getNodeId();
    SessionRow session = node.isEmpty() ? null : state.value(Rows.SESSION.key(node));
    if (session != null && session.getDispatcherId().equals(gone.row().getId())) {
      watch.orphaned(node, gone.silence(), clock.instant());
    }
  }

  /** A node that was removed, or that another dispatcher took over, has no session here any more. */
  private void checkSession(String nodeId) {
    NodeSession session = byNode.get(nodeId);
    switch (Holding.fate(state, nodeId, me, session == null ? null : session.key(), session != null && session.servedBy(state))) {
      case REMOVED -> {
        limits.remove(nodeId);
        if (session != null) {
          close(session, Status.PERMISSION_DENIED.withDescription("node " + nodeId + " is no node of this cluster: it was removed"), clock.instant());
        }
        watch.forget(Set.of(nodeId));
      }
      case OVER -> {
        close(session, OVER, clock.instant());
        watch.over(nodeId, Holding.here(state, nodeId, me));
      }
      case ELSEWHERE -> watch.forget(Set.of(nodeId)); // it is that one's to judge
      case STAYS -> {
        // nothing has changed for it
      }
    }
  }

  private void concern(Concerns concerns) {
    if (!concerns.isEmpty()) {
      byNode.forEach((node, session) -> session.concern(concerns.of(node)));
    }
  }

  private void feed(Collection<String> keys) {
    Set<String> changed = new TreeSet<>();
    for (String key : keys) {
      FeedEntry entry = FeedView.entry(state, key);
      FeedEntry before = entry == null ? feed.remove(key) : feed.put(key, entry);
      if (entry == null ? before != null : !entry.equals(before)) {
        changed.add(key);
      }
    }
    if (!changed.isEmpty()) {
      byNode.values().forEach(session -> session.feedChanged(changed));
    }
  }

  /** Hands out orders to stop whose tasks have left traffic everywhere, or waited long enough. */
  private void release(Instant now) {
    if (withdrawals.held().isEmpty()) {
      metrics.withheld().set(0);
      return;
    }
    List<Long> applied = Holding.applied(state, me, this::applied, peers.news());
    Withdrawals before = withdrawals;
    withdrawals = withdrawals.released(applied, now);
    concern(Concerns.ofTasks(state, withdrawals.changedFrom(before)));
    metrics.withheld().set(withdrawals.held().size());
  }

  /** A node that lives and has not come back to this dispatcher yet may still send traffic where it did before. */
  private Optional<Long> applied(String node) {
    NodeSession session = byNode.get(node);
    return session == null ? Optional.of(0L) : session.appliedRevision(Assignments.epoch(state));
  }

  // ---- what became due ----

  @Override
  public void flush() {
    if (!own.get().equals(ownKnown)) {
      ownKnown = own.get();
      trust = null;
    }
    if (trust == null) {
      trust = ClusterTrust.of(state, ClusterTrust.managers(state, ownKnown));
    }
    Map<Set<String>, FeedUpdate> differences = new HashMap<>();
    for (NodeSession session : byNode.values()) {
      session.sendMessages(state, trust);
      if (!withheld) {
        session.sendAssignments(state, withdrawals, credentials, this::sent);
        session.sendFeed(state, feed, differences);
      }
    }
    if (peers.due(appliedMoved)) {
      appliedMoved = false;
      peers.tell(Assignments.epoch(state), state.revision(), Holding.appliedHere(state, me, this::applied));
    }
  }

  private void sent(ClusterState at, AssignmentsMessage message) {
    metrics.assignmentsSent().inc(message.getPutTasksCount());
    Instant now = clock.instant();
    for (TaskAssignment task : message.getPutTasksList()) {
      PlacementRow placement = at.value(Rows.PLACEMENT.key(task.getId()));
      if (!task.hasLastStatus() && placement != null && placement.hasTimestamp()) {
        Duration took = Duration.between(Stamp.at(placement.getTimestamp()), now);
        metrics.placementToSent().observe(Math.max(0, took.toNanos() / 1e9));
      }
    }
  }

  @Override
  public Instant tick(Instant now) {
    release(now);
    peers.lookAtSilent();
    limits.values().removeIf(limit -> limit.expired(now));
    Instant next = watch.tick(state, now);
    Instant sign = peers.hasFollowers() && next.isAfter(now.plus(Peers.SIGN_OF_LIFE)) ? now.plus(Peers.SIGN_OF_LIFE) : next;
    return withdrawals.due().filter(due -> due.isBefore(sign)).orElse(sign);
  }
}
