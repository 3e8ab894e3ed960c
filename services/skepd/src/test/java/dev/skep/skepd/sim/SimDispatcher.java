package dev.skep.skepd.sim;

import dev.skep.backend.Store.Outcome;
import dev.skep.dispatcher.core.AssignmentSet;
import dev.skep.dispatcher.core.Assignments;
import dev.skep.dispatcher.core.Concerns;
import dev.skep.dispatcher.core.FeedKeys;
import dev.skep.dispatcher.core.FeedView;
import dev.skep.dispatcher.core.Holding;
import dev.skep.dispatcher.core.Registration;
import dev.skep.dispatcher.core.RegistrationLimit;
import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.core.Silence;
import dev.skep.dispatcher.core.Withdrawals;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.DispatcherNews;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.IdSource;
import dev.skep.state.Restored;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.testkit.sim.Net.Stream;
import dev.skep.testkit.sim.SimLease;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.SimView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** One life of a dispatcher: the real core's decisions, carried over a simulated network and store. */
final class SimDispatcher implements SimPeers.Self {
  /** What its commits are signed with, before its id: the loop of the same name has a holder there. */
  static final String WRITER = "dispatcher@session.";

  /** A node's session as this life of the dispatcher knows it. */
  private static final class Session {
    final SessionKey key;
    final long openedAt;
    final Stream<FeedUpdate> feed;
    Stream<AssignmentsMessage> assignments;
    AssignmentSet set;
    String epoch = "";
    long applied;

    Session(SessionKey key, long openedAt, Stream<AssignmentsMessage> assignments, Stream<FeedUpdate> feed) {
      this.key = key;
      this.openedAt = openedAt;
      this.assignments = assignments;
      this.feed = feed;
      this.set = AssignmentSet.empty(key.nodeId());
    }
  }

  private final SimCluster cluster;
  private final SimProcess process;
  private final SimStore store;
  private final SimView view;
  private final IdSource ids;
  private final String me;
  private final Mutant mutant;
  private final Map<String, Session> sessions = new TreeMap<>();
  private final Map<String, RegistrationLimit> limits = new HashMap<>();
  private final SimJudge judge;
  private final SimPeers peers;
  private final SimPeerRow row;
  private final SimCommits commits;
  private final SimReports reports;
  private SortedMap<String, FeedEntry> entries = new TreeMap<>();
  private Withdrawals withdrawals = Withdrawals.NONE;
  private boolean judging;
  private boolean withheld; // a restored cluster waits: nodes are told nothing

  /**
   * @param lease of its process; empty when nobody else can open the store
   * @param leads whether it judges nodes whose session is with nobody
   */
  SimDispatcher(SimCluster cluster, SimProcess process, SimView view, Optional<SimLease> lease, BooleanSupplier leads) {
    this.cluster = cluster;
    this.process = process;
    this.store = cluster.store();
    this.view = view;
    this.mutant = cluster.mutant();
    this.ids = new IdSource(process.world().split());
    this.me = ids.next();
    this.judge = new SimJudge(process, me, mutant, leads);
    this.row = new SimPeerRow(process, store, view, lease, me);
    this.peers = new SimPeers(cluster, process, me, this);
    this.commits = new SimCommits(process, store, view, WRITER + me);
    this.reports = new SimReports(process, view, commits);
    view.listen(this::moved);
    tick();
  }

  // ---- the view moves ----

  private void moved(ClusterState state, List<RowChange> changes, boolean reset) {
    boolean waited = withheld;
    withheld = Restored.unconfirmed(state) && mutant != Mutant.RESTORE_NOT_AWAITED;
    if (reset || waited && !withheld) {
      setWithdrawals(Withdrawals.afterReset(state, process.now()), state);
      entries = new TreeMap<>(FeedView.all(state));
      sessions.values().forEach(session -> complete(session, state));
    } else if (!withheld) {
      Withdrawals before = withdrawals;
      withdrawals = withdrawals.moved(state, changes, process.now());
      Concerns concerns = Concerns.of(state, changes);
      Concerns held = Concerns.ofTasks(state, withdrawals.changedFrom(before));
      FeedUpdate update = FeedKeys.difference(state, entries, changedEntries(state, changes));
      for (Session session : sessions.values()) {
        String node = session.key.nodeId();
        if (served(session, state)) {
          difference(session, state, Assignments.update(session.set, state, concerns.of(node).and(held.of(node)), withdrawals));
          if (update.getPutCount() + update.getRemoveCount() > 0) {
            session.feed.send(update);
          }
        }
      }
    }
    check(state, changes, reset);
    peers.moved();
    commits.moved();
  }

  private static boolean served(Session session, ClusterState state) {
    return state.revision() >= session.openedAt;
  }

  private void check(ClusterState state, List<RowChange> changes, boolean reset) {
    if (reset) {
      List.copyOf(sessions.keySet()).forEach(node -> check(state, node));
    }
    boolean dispatchers = reset;
    for (RowChange change : changes) {
      if (change.of(Rows.SESSION) || change.of(Rows.NODE_SPEC) && change.after() == null) {
        check(state, change.key().lastPart());
      }
      dispatchers |= change.of(Rows.PEER);
    }
    if (dispatchers) {
      peers.look(state);
    }
  }

  private void check(ClusterState state, String nodeId) {
    Session session = sessions.get(nodeId);
    switch (Holding.fate(state, nodeId, me, session == null ? null : session.key, session != null && served(session, state))) {
      case REMOVED -> {
        limits.remove(nodeId);
        judge.forget(nodeId);
        end(nodeId);
      }
      case OVER -> {
        judge.over(nodeId, Holding.here(state, nodeId, me));
        end(nodeId);
      }
      case ELSEWHERE -> {
        judge.forget(nodeId);
        end(nodeId);
      }
      case STAYS -> {
        // nothing has changed for it
      }
    }
  }

  private void end(String nodeId) {
    Session session = sessions.remove(nodeId);
    if (session != null) {
      session.assignments.breakOff();
      session.feed.breakOff();
    }
  }

  private List<String> changedEntries(ClusterState state, List<RowChange> changes) {
    List<String> changed = new ArrayList<>();
    for (String key : FeedKeys.concerned(state, changes)) {
      FeedEntry now = FeedView.entry(state, key);
      FeedEntry before = now == null ? entries.remove(key) : entries.put(key, now);
      if (!Objects.equals(before, now)) {
        changed.add(key);
      }
    }
    return changed;
  }

  private void difference(Session session, ClusterState state, AssignmentSet now) {
    Assignments.difference(state, session.set, now).ifPresent(session.assignments::send);
    session.set = now;
  }

  private void complete(Session session, ClusterState state) {
    if (served(session, state) && !withheld) {
      session.set = Assignments.of(state, session.key.nodeId(), withdrawals);
      session.assignments.send(Assignments.complete(state, session.set));
      session.feed.send(FeedKeys.complete(state, entries.values()));
    }
  }

  private void setWithdrawals(Withdrawals next, ClusterState state) {
    Withdrawals before = withdrawals;
    withdrawals = next;
    Concerns concerns = Concerns.ofTasks(state, withdrawals.changedFrom(before));
    for (Session session : sessions.values()) {
      if (served(session, state) && !withheld) {
        difference(session, state, Assignments.update(session.set, state, concerns.of(session.key.nodeId()), withdrawals));
      }
    }
  }

  // ---- the judge ----

  private void tick() {
    ClusterState state = view.state();
    process.after(Silence.of(state).tick(), this::tick);
    release(state);
    if (judging || !commits.shown()) {
      return;
    }
    List<ChangeSet> changes = judge.judge(state);
    if (!changes.isEmpty()) {
      judging = true;
      commits.commit(changes, outcome -> judging = false);
    }
  }

  // ---- what leaves traffic ----

  private void release(ClusterState state) {
    Map<String, DispatcherNews> news = mutant == Mutant.NEWS_BELIEVED_BLINDLY ? blind(state) : peers.news();
    setWithdrawals(
        mutant == Mutant.STOP_WITHOUT_WITHDRAWAL
            ? Withdrawals.NONE
            : withdrawals.released(Holding.applied(state, me, this::applied, news), process.now()),
        state);
  }

  /** For a planted bug: every other dispatcher says that its nodes have applied everything. */
  private static Map<String, DispatcherNews> blind(ClusterState state) {
    Map<String, DispatcherNews> news = new TreeMap<>();
    state.rows(Rows.PEER).forEach(peer -> news.put(peer.key().lastPart(),
        DispatcherNews.newBuilder().setEpoch(Assignments.epoch(state)).setRevision(Long.MAX_VALUE).setApplied(Long.MAX_VALUE).build()));
    return news;
  }

  /** One that lives and has not come back to this dispatcher yet may still send traffic as before. */
  private Optional<Long> applied(String node) {
    Session session = sessions.get(node);
    return Optional.of(session == null || !session.epoch.equals(Assignments.epoch(view.state())) ? 0L : session.applied);
  }

  @Override
  public DispatcherNews news() {
    ClusterState state = view.state();
    return DispatcherNews.newBuilder()
        .setDispatcherId(me)
        .setEpoch(Assignments.epoch(state))
        .setRevision(state.revision())
        .setApplied(Holding.appliedHere(state, me, this::applied))
        .build();
  }

  @Override
  public void heard() {
    release(view.state());
  }

  /** Called by another dispatcher. */
  void followed(SimProcess by, Consumer<DispatcherNews> receiver, Runnable broken) {
    peers.followed(cluster.net().open(process, by, receiver, broken));
  }

  // ---- what agents call ----

  /** Opens a session; the receiver gets its id when both streams are served from a view that is fresh enough. */
  void register(SimAgent agent, long attempt, NodeReport report, Consumer<Optional<String>> answer) {
    String node = agent.nodeId();
    if (sessions.containsKey(node)) {
      judge.hears(node);
    } else {
      judge.knocks(node); // one that knocks too often lives, too
    }
    if (row.lost()) {
      answer.accept(Optional.empty());
      return;
    }
    Optional<RegistrationLimit> limit = limits.getOrDefault(node, RegistrationLimit.FRESH).admit(process.now());
    if (limit.isEmpty() || !store.reaches(process)) {
      answer.accept(Optional.empty());
      return;
    }
    limits.put(node, limit.get());
    // One that was created a moment ago is known; and a session with a dispatcher that others do not know is one with nobody.
    commits.whenAt(store.revision(), () -> row.whenThere(() -> {
      SessionKey key = new SessionKey(node, ids.next());
      Optional<ChangeSet> change = Registration.open(view.state(), key, row.row(), report, process.now());
      if (change.isEmpty()) {
        answer.accept(Optional.empty());
        return;
      }
      commits.commit(List.of(change.get()), outcome -> {
        if (outcome.isPresent() && outcome.get() instanceof Outcome.Committed committed) {
          commits.whenAt(mutant == Mutant.APPLY_OLD_ASSIGNMENTS ? 0 : committed.revision(), () -> open(agent, attempt, key, committed.revision(), answer));
        } else {
          answer.accept(Optional.empty());
        }
      });
    }));
  }

  private void open(SimAgent agent, long attempt, SessionKey key, long openedAt, Consumer<Optional<String>> answer) {
    Session old = sessions.remove(key.nodeId());
    if (old != null) {
      old.assignments.breakOff();
      old.feed.breakOff();
    }
    judge.hears(key.nodeId());
    Session session = agent.streams().open(process, key, attempt,
        (assignments, feed) -> new Session(key, mutant == Mutant.APPLY_OLD_ASSIGNMENTS ? 0 : openedAt, assignments, feed));
    sessions.put(key.nodeId(), session);
    answer.accept(Optional.of(key.sessionId()));
    complete(session, view.state());
    check(view.state(), key.nodeId());
    peers.moved();
  }

  /** A fresh stream of assignments for a session that goes on: nothing older than what the store holds now is sent on it. */
  void reopen(SimAgent agent, String sessionId) {
    Session session = session(agent.nodeId(), sessionId);
    if (session == null) {
      return; // the next beat says so
    }
    commits.whenAt(store.revision(), () -> {
      if (sessions.get(agent.nodeId()) == session) {
        session.assignments.close();
        session.assignments = agent.streams().assignments(process, session.key);
        if (withheld) {
          return;
        }
        session.set = Assignments.of(view.state(), agent.nodeId(), withdrawals);
        session.assignments.send(Assignments.complete(view.state(), session.set));
      }
    });
  }

  private Session session(String nodeId, String sessionId) {
    Session session = sessions.get(nodeId);
    return session != null && session.key.sessionId().equals(sessionId) ? session : null;
  }

  /** Whether the node's session would be taken now. No answer: no. */
  void ready(Runnable yes) {
    if (!row.lost() && store.reaches(process)) {
      commits.whenAt(store.revision(), yes);
    }
  }

  Reply beat(String nodeId, String sessionId, String epoch, long applied) {
    Session session = session(nodeId, sessionId);
    if (session == null) {
      return Reply.OVER;
    }
    judge.hears(nodeId);
    boolean news = !epoch.equals(session.epoch) || applied != session.applied;
    session.applied = epoch.equals(session.epoch) ? Math.max(session.applied, applied) : applied;
    session.epoch = epoch;
    if (news) {
      release(view.state());
      peers.moved();
    }
    return row.lost() && mutant != Mutant.LOST_STORE_UNTOLD ? Reply.LOST : Reply.STAY;
  }

  String id() {
    return me;
  }

  SimReports reports() {
    return reports;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("dispatcher " + me + " in " + process.name() + " ").append(commits);
    sessions.values().forEach(session -> text.append(", session ").append(session.key).append(session.feed.open() ? "" : " with broken streams"));
    return text.toString();
  }
}
