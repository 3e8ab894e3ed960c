package dev.skep.runtime.loop;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Outcome;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Delta;
import dev.skep.state.IdSource;
import dev.skep.state.Key;
import dev.skep.state.Row;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.Tick;
import dev.skep.state.v1.LeaderRow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A control loop as a state machine: no threads, no clock, no store. Events come in by methods; {@link #next} says what
 * to do. Its commits are a chain on the leader row: each compares the row's revision and rewrites the row, so that of
 * two overlapping commits at most one lands, also when one of them lands late. It decides only on a view at or above the
 * revision of its own last commit, or at which it won the row.
 *
 * <p>Change sets of a decision land in order: a set only after all before it. A batch that conflicts is tried again in
 * halves, so that everything before the conflicting set lands; then the loop waits for the view to show the reason and
 * decides again. A set that conflicts in {@link #PATIENCE} rounds is passed over, so that it does not hold up the others.
 */
public final class LoopCore {
  static final int PATIENCE = 5;
  private static final Duration LEAST_WAIT = Duration.ofMillis(5);
  private static final Duration MOST_WAIT = Duration.ofSeconds(2);
  /** A clock that was set back by less makes no wait much longer. */
  private static final Duration SET_BACK = Duration.ofSeconds(1);

  /** Which process this loop belongs to. {@code sole}: no other live process can hold the row, so it is taken at once. */
  public record Candidate(String holder, String address, boolean sole) {}

  /**
   * What a candidate writes the leader row with.
   *
   * @param address where others reach this process; empty: nowhere yet
   * @param nodeId the host on which it runs; empty while that is in no cluster
   * @param lease on which the row hangs; 0: on none
   */
  public record Standing(String address, String nodeId, long lease) {
    public Standing(String address, long lease) {
      this(address, "", lease);
    }
  }

  /** How often things happened. */
  public record Counts(long decisions, long commits, long conflicts) {}

  private final Key<LeaderRow> leader;
  private final Candidate me;
  private final Decider decider;
  private final IdSource ids;
  private final Backlog backlog = new Backlog();
  private final Quarantine quarantine = new Quarantine();

  private ClusterState state; // null until the view was seen
  private Standing standing; // null: without a lease nothing is written
  private boolean anew; // the standing changed: the row must be written with it before anything is decided
  private Standing writtenWith; // by the commit under way
  private boolean leading;
  private boolean doubt; // a commit's outcome is unknown: the leader row must be read
  private long chain; // the leader row's revision, as far as known
  private long commits; // the leader row's count
  private long floor; // no decision on a view below this revision
  private Deque<List<ChangeSet>> queue = new ArrayDeque<>();
  private Delta decided; // what the queue was decided on; null when all of it has landed
  private List<ChangeSet> inFlight; // empty for a campaign; null when no commit is under way
  private boolean reading;
  private long holderGone = -1; // the leader row's revision whose holder is known to have ended
  private Instant wakeAt;
  private Instant retryAt;
  private int failures;
  private Instant now = Instant.EPOCH;
  private long countDecisions;
  private long countCommits;
  private long countConflicts;

  public LoopCore(String name, Candidate me, Decider decider, IdSource ids) {
    this.leader = Rows.LEADER.key(name);
    this.me = me;
    this.standing = new Standing(me.address(), 0);
    this.decider = decider;
    this.ids = ids;
  }

  // ---- events ----

  /** The view moved, by one revision or by many; {@code reset} as in {@link dev.skep.runtime.View.Listener}. */
  public void viewMoved(ClusterState newState, List<RowChange> changes, boolean reset) {
    state = newState;
    if (reset) {
      backlog.addEverything();
    } else {
      backlog.add(changes);
    }
  }

  /** The commit landed or met a conflict. */
  public void committed(Outcome outcome) {
    List<ChangeSet> batch = inFlight;
    inFlight = null;
    switch (outcome) {
      case Outcome.Committed committed -> landed(batch, committed.revision());
      case Outcome.Conflict conflict -> conflicted(batch, conflict.revision());
    }
  }

  /** Nobody knows whether the commit landed, or will. */
  public void unknown() {
    inFlight = null;
    giveUpDecision();
    doubt = true;
    failures++;
    retryAt = now.plus(backOff(failures));
  }

  /** What {@link Action.ReadLeader} found. */
  public void leaderRead(Optional<Store.Entry> entry) {
    reading = false;
    doubt = false;
    LeaderRow row = entry.map(LoopCore::parsed).orElse(null);
    if (row != null && row.getHolder().equals(me.holder()) && !anew) {
      lead(entry.get().modRevision(), row.getCommits());
    } else {
      follow();
      entry.ifPresent(other -> floor = Math.max(floor, other.modRevision()));
    }
  }

  /** {@link Action.ReadLeader} failed. */
  public void leaderReadFailed() {
    reading = false;
    failures++;
    retryAt = now.plus(backOff(failures));
  }

  /** The process that wrote the leader row at this revision has ended: its row may be taken. */
  public void holderGone(long leaderRevision) {
    holderGone = leaderRevision;
  }

  /** There is nothing to decide about here: what was decided is forgotten, and the leader row may vanish. */
  public void rest() {
    follow();
  }

  /**
   * On a store that several processes share: on which lease the leader row hangs from now on; empty when the lease is lost.
   * Whoever lost it leads no more, and with another one only after it has written the row anew: the row may be gone.
   */
  public void stands(Optional<Standing> now) {
    Standing next = now.orElse(null);
    if (Objects.equals(standing, next)) {
      return;
    }
    standing = next;
    anew = true;
    follow();
  }

  /** Something outside of the state changed: decide about everything. */
  public void wake() {
    backlog.addEverything();
  }

  // ---- what to do ----

  /** What to do now. Sleeps while a commit or a read is under way. Throws what the decider throws. */
  public Action next(Instant time) {
    if (time.isBefore(now.minus(SET_BACK))) { // what waits for a time would wait for as long as the clock was ahead
      wakeAt = null;
      retryAt = null;
      backlog.addEverything();
    }
    now = time;
    if (state == null || inFlight != null || reading) {
      return new Action.Sleep(Optional.empty());
    }
    if (retryAt != null && now.isBefore(retryAt)) {
      return new Action.Sleep(Optional.of(retryAt));
    }
    retryAt = null;
    if (standing == null) {
      return new Action.Sleep(Optional.empty());
    }
    if (doubt) {
      reading = true;
      return new Action.ReadLeader(leader.path());
    }
    if (!queue.isEmpty()) {
      return commit(queue.poll());
    }
    if (state.revision() < floor) {
      return new Action.Sleep(Optional.empty());
    }
    Row<LeaderRow> row = state.row(leader);
    if (mine(row) && !anew) {
      lead(row.modRevision(), row.value().getCommits()); // also when a commit of unknown fate landed late
    } else {
      follow();
      return campaign(row);
    }
    if (wakeAt != null && !now.isBefore(wakeAt)) {
      wakeAt = null;
      backlog.addEverything(); // a delta says only what changed, not whose time has come
    }
    if (!backlog.isEmpty()) {
      decide();
    }
    return queue.isEmpty() ? new Action.Sleep(Optional.ofNullable(wakeAt)) : commit(queue.poll());
  }

  private boolean mine(Row<LeaderRow> row) {
    return row != null && row.value().getHolder().equals(me.holder());
  }

  private void decide() {
    Delta delta = backlog.delta();
    backlog.clear();
    if (delta.isEmpty()) {
      return;
    }
    Decision decision = decider.decide(state, delta, new Tick(now, ids));
    countDecisions++;
    quarantine.decided(decider, state, delta, decision);
    if (delta.everything()) {
      wakeAt = null;
    }
    decision.wakeAt().ifPresent(this::wakeBy);
    if (!decision.changes().isEmpty()) {
      decided = delta;
      queue = Batches.pack(decision.changes());
    }
  }

  private void wakeBy(Instant time) {
    Instant soonest = now.plus(LEAST_WAIT); // a decider that asks for the past must not make the loop spin
    Instant wanted = time.isBefore(soonest) ? soonest : time;
    if (wakeAt == null || wanted.isBefore(wakeAt)) {
      wakeAt = wanted;
    }
  }

  private Action commit(List<ChangeSet> batch) {
    return sent(batch, chain, row(commits + 1));
  }

  private Action campaign(Row<LeaderRow> row) {
    if (row != null && !mine(row) && !me.sole() && holderGone != row.modRevision()) {
      return new Action.Sleep(Optional.empty());
    }
    return sent(List.of(), row == null ? 0 : row.modRevision(), row(1));
  }

  private Action sent(List<ChangeSet> batch, long link, LeaderRow next) {
    inFlight = batch;
    writtenWith = standing;
    return new Action.Commit(Batches.transaction(batch, leader.path(), link, next, standing.lease()));
  }

  private LeaderRow row(long count) {
    return LeaderRow.newBuilder().setHolder(me.holder()).setAddress(standing.address()).setNodeId(standing.nodeId()).setCommits(count).build();
  }

  // ---- what became of commits ----

  private void landed(List<ChangeSet> batch, long revision) {
    failures = 0;
    floor = Math.max(floor, revision);
    if (batch.isEmpty()) {
      if (writtenWith.equals(standing)) {
        anew = false;
        lead(revision, 1);
      }
      return;
    }
    countCommits++;
    chain = revision;
    commits++;
    batch.forEach(set -> quarantine.landed(set.about()));
    if (queue.isEmpty()) {
      decided = null;
    }
  }

  private void conflicted(List<ChangeSet> batch, long revision) {
    floor = Math.max(floor, revision);
    if (batch.isEmpty()) {
      return; // another candidate was faster: the view will show it
    }
    countConflicts++;
    if (!leading) {
      return; // the lease was lost meanwhile: what was decided is forgotten
    }
    if (batch.size() > 1) {
      queue.addFirst(List.copyOf(batch.subList(batch.size() / 2, batch.size())));
      queue.addFirst(List.copyOf(batch.subList(0, batch.size() / 2)));
      return;
    }
    int rounds = quarantine.conflicted(batch.getFirst().about());
    if (rounds < PATIENCE) {
      giveUpDecision();
      if (rounds > 1) {
        retryAt = now.plus(backOff(rounds - 1));
      }
    } else {
      quarantine.show();
      wakeBy(now.plus(backOff(rounds)));
      if (queue.isEmpty()) {
        decided = null;
      }
    }
  }

  private void giveUpDecision() {
    queue.clear();
    if (decided != null) {
      backlog.putBack(decided);
      decided = null;
    }
  }

  private void lead(long leaderRevision, long count) {
    if (!leading) {
      leading = true;
      wakeAt = null;
      backlog.addEverything();
    }
    chain = leaderRevision;
    commits = count;
    floor = Math.max(floor, leaderRevision);
  }

  private void follow() {
    if (leading) {
      leading = false;
      giveUpDecision();
      backlog.addEverything();
    }
  }

  /** 10 ms, 20 ms, 40 ms … 2 s. */
  private static Duration backOff(int times) {
    Duration wait = Duration.ofMillis(10L << Math.min(times - 1, 10));
    return wait.compareTo(MOST_WAIT) > 0 ? MOST_WAIT : wait;
  }

  private static LeaderRow parsed(Store.Entry entry) {
    try {
      return LeaderRow.parseFrom(entry.value());
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the row " + entry.key() + " is no leader row", e);
    }
  }

  // ---- what is ----

  public boolean leading() {
    return leading;
  }

  /** The leader row's revision while this loop leads, as far as it knows: whoever compares it cannot write after another won. */
  public OptionalLong won() {
    return leading ? OptionalLong.of(chain) : OptionalLong.empty();
  }

  /** Objects passed over, with the reasons. Any thread may ask. */
  public Map<String, String> quarantined() {
    return quarantine.shown();
  }

  public Counts counts() {
    return new Counts(countDecisions, countCommits, countConflicts);
  }
}
