package dev.skep.skepd.sim;

import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.relay.core.Change;
import dev.skep.relay.core.Replay;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.testkit.sim.SimStore.Landed;
import dev.skep.testkit.sim.Violation;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The log is the store's history: of each revision one record, what it says is what the store did, and each goes on from the
 * one before. It leaves revisions out only where the store had to forget them, because the log was away for too long.
 */
final class LogLaw {
  private static final int EVERY = 8; // seeds whose replay is compared at every revision

  private record Past(ClusterState state, List<Change> changes, Duration at) {}

  private final SimCluster cluster;
  private final boolean close;
  private final Map<String, TreeMap<Long, Past>> histories = new HashMap<>(); // epoch to what was in the store at its revisions
  private final Replay replay = new Replay();

  LogLaw(SimCluster cluster, long seed) {
    this.cluster = cluster;
    this.close = seed % EVERY == 0;
    cluster.store().watch(this::landed);
    cluster.log().watch(this::landed);
    cluster.store().onCompaction(this::forgets);
  }

  // ---- the store's side ----

  private void landed(Landed landed) {
    ClusterRow row = landed.after().value(Rows.cluster());
    if (row != null) {
      Past past = new Past(landed.after(), Entries.shown(landed.changes(), landed.revision()), cluster.world().elapsed());
      histories.computeIfAbsent(row.getEpoch(), fresh -> new TreeMap<>()).put(landed.revision(), past);
    }
  }

  /** What the log does not have is kept for as long as promised. */
  private void forgets(long revision) {
    LogWriter.End end = cluster.log().end();
    ClusterRow row = cluster.store().state().value(Rows.cluster());
    String epoch = row == null ? "" : row.getEpoch();
    long there = end.epoch().equals(epoch) ? end.revision() : 0;
    Past first = histories.getOrDefault(epoch, new TreeMap<>()).get(Math.max(there + 1, cluster.store().oldest()));
    if (revision > there + 1 && first != null && first.at.plus(SimRelay.RULES.hold()).compareTo(cluster.world().elapsed().plusSeconds(1)) > 0) {
      throw new Violation("the store is told to forget what was before " + revision + ", and the log has what was until " + there
          + ": the oldest of the rest is " + cluster.world().elapsed().minus(first.at).toMillis() + " ms old");
    }
  }

  // ---- the log's side ----

  private void landed(LogEntry entry) {
    LogWriter.End end = cluster.log().end();
    Past past = histories.getOrDefault(entry.epoch(), new TreeMap<>()).get(entry.revision());
    if (past == null) {
      throw new Violation("the log is given revision " + entry.revision() + " of " + entry.epoch() + ", which no store ever had");
    }
    switch (entry) {
      case LogEntry.Changes record -> record(record, past, end);
      case LogEntry.Reset reset -> reset(reset, end);
      case LogEntry.Snapshot part -> part(part, past, end);
    }
    Entries.feed(replay, entry);
    if (close && replay.known()) {
      compare(past.state);
    }
  }

  private static void record(LogEntry.Changes record, Past past, LogWriter.End end) {
    if (!record.epoch().equals(end.epoch()) || record.revision() <= end.revision()) {
      throw new Violation("the log gets revision " + record.revision() + " of " + record.epoch() + " behind " + end.revision() + " of " + end.epoch());
    }
    if (record.previous() != end.revision() || record.revision() != end.revision() + 1) {
      throw new Violation("the log gets revision " + record.revision() + " after " + record.previous() + " and ends at " + end.revision());
    }
    if (!same(Entries.logged(record.changes()), past.changes)) {
      throw new Violation("the log says that revision " + record.revision() + " did " + record.changes() + ", and the store did " + past.changes);
    }
  }

  private void reset(LogEntry.Reset reset, LogWriter.End end) {
    boolean right = switch (reset.reason()) {
      case FIRST -> end.epoch().isEmpty();
      case NEW_EPOCH -> !end.epoch().equals(reset.epoch());
      case COMPACTED -> end.epoch().equals(reset.epoch()) && (!end.whole() || cluster.store().forgotten() > end.revision() + 1);
    };
    if (!right) {
      throw new Violation("the log begins anew at " + reset.revision() + " of " + reset.epoch() + " because of " + reset.reason() + ", and it ends at " + end);
    }
  }

  private static void part(LogEntry.Snapshot part, Past past, LogWriter.End end) {
    if (!part.epoch().equals(end.epoch()) || part.revision() != end.revision()) {
      throw new Violation("the log gets a snapshot of " + part.revision() + " of " + part.epoch() + " and ends at " + end);
    }
    if (part.last() && part.part() == 0 && !same(Entries.logged(part.rows()), Entries.shown(past.state))) {
      throw new Violation("the snapshot at " + part.revision() + " is not what the store had");
    }
  }

  private static boolean same(List<Change> one, List<Change> other) {
    Iterator<Change> others = other.iterator();
    return one.size() == other.size() && one.stream().allMatch(change -> change.same(others.next()));
  }

  private void compare(ClusterState state) {
    if (replay.revision() == state.revision()) {
      List<String> differences = replay.differences(Entries.shown(state));
      if (!differences.isEmpty()) {
        throw new Violation("a replay of the log to revision " + state.revision() + " is not what the store had in " + differences);
      }
    }
  }

  /** When all is over: the log has everything, and a replay of it makes what the store has. */
  Optional<String> problem() {
    long there = cluster.store().revision();
    if (cluster.log().end().revision() != there || !replay.known() || replay.revision() != there) {
      return Optional.of("the log ends at " + cluster.log().end() + ", and the store is at " + there);
    }
    compare(cluster.store().state());
    if (replay.holes().stream().anyMatch(hole -> hole.why().contains("nothing says why")) || replay.notes().stream().anyMatch(note -> !note.startsWith("epoch "))) {
      throw new Violation("the log has holes that nobody explains: " + replay.holes() + replay.notes());
    }
    return Optional.empty();
  }
}
