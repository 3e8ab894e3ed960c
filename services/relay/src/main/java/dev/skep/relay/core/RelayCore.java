package dev.skep.relay.core;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * The relay as a state machine: no threads, no clock, no store, no log. Whatever fails, it begins again by claiming the
 * log: only the log's end says what is in it. What it appends follows from that end and from the store alone, so two
 * relays that take turns make the same log as one.
 */
public final class RelayCore {
  private static final Duration MOST_WAIT = Duration.ofSeconds(2);
  private static final int BLINK = 12; // samples that may be missed

  private record Arrived(Instant at, Moved moved) {}

  private final Rules rules;
  private final Past past;
  private final Deque<Arrived> pending = new ArrayDeque<>();
  private boolean mandated;
  private LogEnd end; // null: the log must be claimed
  private String epoch = ""; // the store's at the end of the log and after; empty: there is no cluster
  private boolean watching;
  private boolean lost; // the store forgot what comes after the pending revisions
  private long relayed; // the last revision known to be in the log
  private long seen; // the newest revision of the store that we know of
  private Instant behindSince; // since when the log is behind the store; null: it is not, as far as known
  private long compacted;
  private Instant compactAt = Instant.MIN;
  private Instant snapshotAt = Instant.MIN; // not before this
  private Instant retryAt;
  private int failures;

  public RelayCore(Rules rules) {
    this.rules = rules;
    Duration spacing = longer(rules.keep().dividedBy(60), Duration.ofMillis(1));
    this.past = new Past(longer(rules.hold(), rules.keep()), spacing, longer(spacing.multipliedBy(BLINK), rules.longestTry()));
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  // ---- events ----

  /** We lead. */
  public void mandated() {
    mandated = true;
    retryAt = null;
    forget();
  }

  /** We do not lead any more, or there is no cluster. */
  public void dismissed() {
    mandated = false;
    forget();
  }

  /** The log is ours and ends here; the store, read after the claim, is in this epoch. */
  public void claimed(LogEnd logEnd, String storeEpoch) {
    forget();
    end = logEnd;
    epoch = storeEpoch;
    relayed = logEnd.epoch().equals(storeEpoch) ? logEnd.revision() : 0;
    failures = 0;
  }

  /** The store made a revision, as the watch tells it. */
  public void moved(Moved moved, Instant now) {
    if (watching) {
      pending.addLast(new Arrived(now, moved));
      seen(moved.revision(), now);
    }
  }

  /** The newest revision that anybody here has seen. */
  public void seen(long revision, Instant now) {
    seen = Math.max(seen, revision);
    past.sample(now, seen);
    if (mandated && seen > relayed && behindSince == null) {
      behindSince = now;
    }
  }

  /** The watch is over: the store forgot the revision that it was at. */
  public void lost() {
    if (watching) {
      watching = false;
      lost = true;
    }
  }

  /** It landed, and the log now ends here. */
  public void appended(LogEnd logEnd, Instant now) {
    end = logEnd;
    relayed = logEnd.revision();
    while (!pending.isEmpty() && pending.getFirst().moved.revision() <= relayed) {
      epoch = epochAfter(pending.removeFirst().moved, epoch);
    }
    behindSince = pending.isEmpty() ? null : pending.getFirst().at;
    failures = 0;
  }

  /** The log begins anew, with the store as it was in this epoch. */
  public void began(LogEnd logEnd, String storeEpoch, Instant now) {
    forget();
    epoch = storeEpoch;
    end = logEnd;
    relayed = logEnd.revision();
    behindSince = null;
    failures = 0;
    seen(relayed, now);
  }

  /** The log or the store failed, or another relay fenced us: nobody knows what landed. */
  public void failed(Instant now) {
    forget();
    failures++;
    retryAt = now.plus(backOff(failures));
  }

  /** The store at the log's end could not be read any more: the snapshot waits for another end. */
  public void notAppended(Instant now) {
    snapshotAt = now.plus(rules.compactEvery());
  }

  /** The store forgot what was before this revision, or could not be told to: then later. */
  public void compacted(long revision, Instant now) {
    compacted = Math.max(compacted, revision);
    compactAt = now.plus(rules.compactEvery());
  }

  private void forget() {
    end = null;
    pending.clear();
    watching = false;
    lost = false;
  }

  // ---- what to do ----

  /** What to do now. */
  public Action next(Instant now) {
    if (!mandated) {
      return new Action.Sleep(Optional.empty());
    }
    Optional<Long> forgettable = forgettable(now);
    if (forgettable.isPresent()) {
      return new Action.Compact(forgettable.get());
    }
    if (retryAt != null && waits(retryAt, now, MOST_WAIT)) {
      return new Action.Sleep(Optional.of(retryAt));
    }
    retryAt = null;
    if (end == null) {
      return new Action.Claim();
    }
    if (epoch.isEmpty()) {
      return new Action.Sleep(Optional.empty()); // no cluster, no log
    }
    if (!end.epoch().equals(epoch)) {
      return new Action.Begin(end.epoch().isEmpty() ? Reason.FIRST : Reason.NEW_EPOCH, 0);
    }
    if (!end.whole() || lost && pending.isEmpty()) {
      return new Action.Begin(Reason.COMPACTED, end.revision());
    }
    if (!watching && !lost) {
      watching = true;
      return new Action.Watch(end.revision() + 1);
    }
    return follow(now);
  }

  private Action follow(Instant now) {
    while (!pending.isEmpty() && pending.getFirst().moved.revision() <= end.revision()) {
      pending.removeFirst();
    }
    if (!pending.isEmpty()) {
      Moved first = pending.getFirst().moved;
      String then = epochAfter(first, epoch);
      if (!then.isEmpty() && !then.equals(epoch)) {
        return new Action.Begin(Reason.NEW_EPOCH, 0);
      }
      return new Action.Append(epoch, batch());
    }
    Instant snapshot = end.based().plus(rules.snapshotEvery());
    Instant due = snapshot.isAfter(snapshotAt) ? snapshot : snapshotAt;
    if (!now.isBefore(due)) {
      return new Action.Snapshot(epoch, end.revision());
    }
    return new Action.Sleep(Optional.of(wake(due, now)));
  }

  /** When to look again though nothing happens: while something can be compacted later, every now and then. */
  private Instant wake(Instant due, Instant now) {
    Instant look = compactAt.isAfter(now) ? compactAt : now.plus(rules.compactEvery());
    return seen > compacted && look.isBefore(due) ? look : due;
  }

  private List<Action.Link> batch() {
    List<Action.Link> links = new ArrayList<>();
    long previous = end.revision();
    long bytes = 0;
    for (Arrived arrived : pending) {
      bytes += arrived.moved.size();
      boolean full = links.size() == rules.batch() || bytes > rules.batchBytes();
      boolean turns = !epochAfter(arrived.moved, epoch).equals(epoch);
      if (!links.isEmpty() && (full || turns)) {
        break; // a revision that ends or changes the epoch goes alone
      }
      links.add(new Action.Link(previous, arrived.moved));
      previous = arrived.moved.revision();
      if (turns) {
        break;
      }
    }
    return List.copyOf(links);
  }

  /** To the earlier of the log's end and {@code keep} ago; past the log's end only when it stays away for {@code hold}. */
  private Optional<Long> forgettable(Instant now) {
    past.sample(now, seen);
    if (waits(compactAt, now, rules.compactEvery())) {
      return Optional.empty();
    }
    long old = past.before(now.minus(rules.keep())).orElse(0L);
    long forced = past.before(now.minus(rules.hold())).orElse(0L);
    long target = Math.max(Math.min(old, relayed), forced);
    return target > compacted ? Optional.of(target) : Optional.empty();
  }

  /** The epoch that holds after this revision: it changes with the cluster's row. */
  private static String epochAfter(Moved moved, String before) {
    for (Change change : moved.changes()) {
      if (change.key().equals(Rows.cluster().path())) {
        return change.value() == null ? "" : epochOf(change.value());
      }
    }
    return before;
  }

  /** The epoch that a stored cluster row names. */
  public static String epochOf(byte[] clusterRow) {
    try {
      return ClusterRow.parseFrom(clusterRow).getEpoch();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the row " + Rows.cluster().path() + " is no cluster row", e);
    }
  }

  /** Not yet time; but a time further away than we ever set one is left over from a clock that was set back. */
  private static boolean waits(Instant until, Instant now, Duration most) {
    return now.isBefore(until) && !now.plus(most).isBefore(until);
  }

  /** 20 ms, 40 ms … 2 s. */
  private static Duration backOff(int times) {
    Duration wait = Duration.ofMillis(10L << Math.min(times, 10));
    return wait.compareTo(MOST_WAIT) > 0 ? MOST_WAIT : wait;
  }

  // ---- what is ----

  public boolean leading() {
    return mandated;
  }

  /** Whether a watch is wanted: an open one whose answer is no must be closed. */
  public boolean watching() {
    return watching;
  }

  public long relayed() {
    return relayed;
  }

  public long compactedTo() {
    return compacted;
  }

  /** Revisions of the store that the log does not have, as far as known. */
  public long lagRevisions() {
    return mandated ? Math.max(0, seen - relayed) : 0;
  }

  /** How long the oldest of them waits. */
  public Duration lag(Instant now) {
    return !mandated || behindSince == null || now.isBefore(behindSince) ? Duration.ZERO : Duration.between(behindSince, now);
  }
}
