package dev.skep.skepd.sim;

import dev.skep.backend.Store.Outcome;
import dev.skep.dispatcher.core.AssignmentSet;
import dev.skep.dispatcher.core.Assignments;
import dev.skep.dispatcher.core.Concerns;
import dev.skep.dispatcher.core.FeedKeys;
import dev.skep.dispatcher.core.FeedView;
import dev.skep.dispatcher.core.Heard;
import dev.skep.dispatcher.core.Liveness;
import dev.skep.dispatcher.core.NodeLife;
import dev.skep.dispatcher.core.Registration;
import dev.skep.dispatcher.core.RegistrationLimit;
import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.core.Silence;
import dev.skep.dispatcher.core.StatusRules;
import dev.skep.dispatcher.core.StatusRules.Verdict;
import dev.skep.dispatcher.core.Withdrawals;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.IdSource;
import dev.skep.state.Restored;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.sim.Net.Stream;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.SimView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/** One life of a dispatcher: the real core's decisions, carried over a simulated network and store. */
final class SimDispatcher {
  private static final Duration RETRY = Duration.ofMillis(20);
  private static final String WRITER = "dispatcher";

  /** A node's session as this life of the dispatcher knows it. */
  private static final class Session {
    final SessionKey key;
    final Stream<FeedUpdate> feed;
    Stream<AssignmentsMessage> assignments;
    AssignmentSet set;
    String epoch = "";
    long applied;
    long reports;
    boolean served;

    Session(SessionKey key, Stream<AssignmentsMessage> assignments, Stream<FeedUpdate> feed) {
      this.key = key;
      this.assignments = assignments;
      this.feed = feed;
      this.set = AssignmentSet.empty(key.nodeId());
    }
  }

  private record Waiting(long revision, Runnable body) {}

  private final SimProcess process;
  private final SimStore store;
  private final SimView view;
  private final IdSource ids;
  private final Mutant mutant;
  private final Map<String, Session> sessions = new TreeMap<>();
  private final Map<String, Heard> heard = new HashMap<>();
  private final Map<String, RegistrationLimit> limits = new HashMap<>();
  private final Justice justice;
  private final List<Waiting> waiting = new ArrayList<>();
  private SortedMap<String, FeedEntry> entries = new TreeMap<>();
  private Withdrawals withdrawals = Withdrawals.NONE;
  private Liveness liveness;
  private boolean judging;
  private boolean withheld; // a restored cluster waits: nodes are told nothing
  private long floor;

  SimDispatcher(SimProcess process, SimStore store, SimView view, Mutant mutant) {
    this.process = process;
    this.store = store;
    this.view = view;
    this.mutant = mutant;
    this.ids = new IdSource(process.world().split());
    this.liveness = Liveness.fresh(process.now());
    this.justice = new Justice(process);
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
        if (session.served) {
          difference(session, state, Assignments.update(session.set, state, concerns.of(node).and(held.of(node)), withdrawals));
          if (update.getPutCount() + update.getRemoveCount() > 0) {
            session.feed.send(update);
          }
        }
      }
    }
    changes.stream().filter(change -> change.of(Rows.NODE_SPEC) && change.after() == null).forEach(change -> forget(change.key().lastPart()));
    List<Waiting> ready = waiting.stream().filter(one -> one.revision <= state.revision()).toList();
    waiting.removeAll(ready);
    ready.forEach(one -> one.body.run());
  }

  /** The node was removed. */
  private void forget(String nodeId) {
    heard.remove(nodeId);
    limits.remove(nodeId);
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
    if (session.served && !withheld) {
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
      if (session.served && !withheld) {
        difference(session, state, Assignments.update(session.set, state, concerns.of(session.key.nodeId()), withdrawals));
      }
    }
  }

  private void whenAt(long revision, Runnable body) {
    if (view.state().revision() >= revision) {
      body.run();
    } else {
      waiting.add(new Waiting(revision, body));
    }
  }

  // ---- the judge ----

  private void tick() {
    ClusterState state = view.state();
    process.after(Silence.of(state).tick(), this::tick);
    setWithdrawals(mutant == Mutant.STOP_WITHOUT_WITHDRAWAL ? Withdrawals.NONE : withdrawals.released(applied(state), process.now()), state);
    if (judging || state.revision() < floor) {
      return;
    }
    Liveness.Judgement judgement = judge().judge(state, heard, true, process.now());
    liveness = judgement.next();
    justice.judged(state, judgement.decision());
    if (!judgement.decision().changes().isEmpty()) {
      judging = true;
      commit(judgement.decision().changes(), outcome -> {
        judging = false;
        outcome.ifPresent(this::learn);
      });
    }
  }

  private Liveness judge() {
    return mutant == Mutant.JUDGE_IGNORES_LATENESS
        ? new Liveness(liveness.startedAt(), process.now(), process.now(), liveness.watched(), liveness.panicUntil())
        : liveness;
  }

  private void knocks(String nodeId) {
    if (sessions.containsKey(nodeId)) {
      hears(nodeId);
    } else {
      heard.put(nodeId, Heard.knocking(process.now()));
      justice.heard(nodeId);
    }
  }

  private void hears(String nodeId) {
    heard.put(nodeId, new Heard(process.now(), false));
    justice.heard(nodeId);
  }

  /** What each live node has applied; one that has not come back to this dispatcher yet may still send traffic as before. */
  private List<Long> applied(ClusterState state) {
    List<Long> applied = new ArrayList<>();
    state.rows(Rows.NODE_STATUS).forEach(row -> {
      Session session = sessions.get(row.key().lastPart());
      if (NodeLife.of(row.value()) == NodeLife.READY) {
        applied.add(session == null || !session.epoch.equals(Assignments.epoch(state)) ? 0L : session.applied);
      }
    });
    return applied;
  }

  private void learn(Outcome outcome) {
    floor = Math.max(floor, switch (outcome) {
      case Outcome.Committed committed -> committed.revision();
      case Outcome.Conflict conflict -> conflict.revision();
    });
  }

  private void commit(List<ChangeSet> sets, Consumer<Optional<Outcome>> answer) {
    store.submit(process, WRITER, Transactions.of(sets), answer);
  }

  // ---- what agents call ----

  /** Opens a session; the receiver gets its id when both streams are served from a view that is fresh enough. */
  void register(SimAgent agent, NodeReport report, Consumer<Optional<String>> answer) {
    String node = agent.nodeId();
    knocks(node); // a node that knocks too often lives, too
    Optional<RegistrationLimit> limit = limits.getOrDefault(node, RegistrationLimit.FRESH).admit(process.now());
    if (limit.isEmpty()) {
      answer.accept(Optional.empty());
      return;
    }
    limits.put(node, limit.get());
    whenAt(store.revision(), () -> { // a node that was created a moment ago is known
      SessionKey key = new SessionKey(node, ids.next());
      Optional<ChangeSet> change = Registration.open(view.state(), key, process.name(), report, process.now());
      if (change.isEmpty()) {
        answer.accept(Optional.empty());
        return;
      }
      commit(List.of(change.get()), outcome -> {
        if (outcome.isPresent() && outcome.get() instanceof Outcome.Committed committed) {
          hears(node);
          whenAt(mutant == Mutant.APPLY_OLD_ASSIGNMENTS ? 0 : committed.revision(), () -> open(agent, key, answer));
        } else {
          answer.accept(Optional.empty());
        }
      });
    });
  }

  private void open(SimAgent agent, SessionKey key, Consumer<Optional<String>> answer) {
    Session old = sessions.remove(key.nodeId());
    if (old != null) {
      old.assignments.close();
      old.feed.close();
    }
    Session session = agent.streams().open(process, key, (assignments, feed) -> {
      Session made = new Session(key, assignments, feed);
      made.served = true;
      return made;
    });
    sessions.put(key.nodeId(), session);
    answer.accept(Optional.of(key.sessionId()));
    complete(session, view.state());
  }

  /** A fresh stream of assignments for a session that goes on: nothing older than what the store holds now is sent on it. */
  void reopen(SimAgent agent, String sessionId) {
    Session session = session(agent.nodeId(), sessionId);
    if (session == null) {
      return; // the next beat says so
    }
    whenAt(store.revision(), () -> {
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

  /** False: no such session here. */
  boolean beat(String nodeId, String sessionId, String epoch, long applied) {
    Session session = session(nodeId, sessionId);
    if (session == null) {
      return false;
    }
    hears(nodeId);
    session.applied = epoch.equals(session.epoch) ? Math.max(session.applied, applied) : applied;
    session.epoch = epoch;
    return true;
  }

  /** The answer is false when the session is over. It comes when everything has landed, and never when nobody knows. */
  void update(String nodeId, String sessionId, List<TaskStatusRow> rows, Consumer<Boolean> answer) {
    SessionKey key = new SessionKey(nodeId, sessionId);
    whenAt(floor, () -> judged(key, rows, answer));
  }

  private void judged(SessionKey key, List<TaskStatusRow> rows, Consumer<Boolean> answer) {
    switch (StatusRules.judge(view.state(), key, rows, process.now())) {
      case Verdict.SessionOver _ -> answer.accept(false);
      case Verdict.Denied denied -> {
        process.note("denies " + denied);
        answer.accept(false);
      }
      case Verdict.Accepted accepted -> {
        if (accepted.changes().isEmpty()) {
          answer.accept(true);
          return;
        }
        commit(accepted.changes(), outcome -> {
          outcome.ifPresent(this::learn);
          if (outcome.isPresent() && outcome.get() instanceof Outcome.Committed) {
            answer.accept(true);
          } else {
            process.after(RETRY, () -> update(key.nodeId(), key.sessionId(), rows, answer));
          }
        });
      }
    }
  }

  /** {@code number}: calls of one connection do not overtake each other. */
  void report(String nodeId, String sessionId, long number, NodeReport report, Consumer<Boolean> answer) {
    whenAt(floor, () -> {
      Session session = session(nodeId, sessionId);
      if (session != null && number < session.reports) {
        return;
      }
      if (session != null) {
        session.reports = number;
      }
      SessionKey key = new SessionKey(nodeId, sessionId);
      if (!key.open(view.state())) {
        answer.accept(false);
        return;
      }
      Optional<ChangeSet> change = Registration.report(view.state(), key, report, process.now());
      if (change.isEmpty()) {
        answer.accept(true);
        return;
      }
      commit(List.of(change.get()), outcome -> {
        outcome.ifPresent(this::learn);
        if (outcome.isPresent() && outcome.get() instanceof Outcome.Committed) {
          answer.accept(true);
        } else {
          process.after(RETRY, () -> report(nodeId, sessionId, number, report, answer));
        }
      });
    });
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("dispatcher at ").append(view.state().revision()).append(", floor ").append(floor);
    sessions.values().forEach(session -> text.append(", session ").append(session.key).append(session.feed.open() ? "" : " with broken streams"));
    return text.toString();
  }
}
