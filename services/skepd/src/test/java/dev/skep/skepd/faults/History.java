package dev.skep.skepd.faults;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.skep.backend.Store;
import dev.skep.backend.Store.Change;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import dev.skep.state.v1.NodeStatusRow;
import dev.skep.state.v1.TaskIntentRow;
import dev.skep.state.v1.TaskState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Every revision of the store, watched as it comes, and what must hold of all of them. */
final class History implements Store.Watcher {
  /** Loops whose rows only their holder may write, and where those are. */
  private static final Map<String, String> DECIDERS =
      Map.of("orchestrator", "state/orchestrator/", "allocator", "state/allocator/", "scheduler", "state/scheduler/");

  private final List<String> violations = new ArrayList<>(); // guarded by this, as all below
  private final Map<String, LeaderRow> leaders = new HashMap<>(); // by loop, as of the last revision
  private final Map<String, TaskIntentRow> intents = new HashMap<>(); // by task; also of tasks that are gone
  private final Map<String, Long> created = new HashMap<>(); // by task: the revision
  private final Map<String, Long> removed = new HashMap<>(); // by task: the revision from which nobody wants it any more
  private final Map<String, List<Long>> decisions = new HashMap<>(); // by loop: when each was seen
  private final Map<String, Integer> holders = new HashMap<>(); // by loop: how often another one came
  private long last;

  @Override
  public synchronized void changed(long revision, List<Change> changes) {
    if (revision <= last) {
      violations.add("revision " + revision + " came after " + last);
    }
    last = revision;
    DECIDERS.forEach((loop, prefix) -> judge(revision, loop, prefix, changes));
    for (Change change : changes) {
      try {
        remember(change);
      } catch (InvalidProtocolBufferException e) {
        violations.add(change.key() + " cannot be read at revision " + revision);
      }
    }
  }

  @Override
  public synchronized void compacted(long oldestRevision) {
    violations.add("the watch of the whole history fell behind: " + last + " was followed by " + oldestRevision);
  }

  /** A decision is written together with the leader row, by the holder that the row named before, and as its next commit. */
  private void judge(long revision, String loop, String prefix, List<Change> changes) {
    if (changes.stream().noneMatch(change -> change.key().startsWith(prefix))) {
      return;
    }
    decisions.computeIfAbsent(loop, _ -> new ArrayList<>()).add(System.nanoTime());
    String path = Rows.LEADER.key(loop).path();
    LeaderRow before = leaders.get(loop);
    LeaderRow now = changes.stream().filter(change -> change.key().equals(path) && change.value() != null).findFirst().map(History::leader).orElse(null);
    if (now == null || before == null || !now.getHolder().equals(before.getHolder()) || now.getCommits() != before.getCommits() + 1) {
      violations.add("revision " + revision + " holds a decision of " + loop + " that is not the next of its holder: " + before + " -> " + now);
    }
  }

  private static LeaderRow leader(Change change) {
    try {
      return LeaderRow.parseFrom(change.value());
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private void remember(Change change) throws InvalidProtocolBufferException {
    String key = change.key();
    if (key.startsWith(Rows.LEADER.prefix())) {
      String loop = key.substring(key.lastIndexOf('/') + 1);
      if (change.value() == null) {
        leaders.remove(loop);
      } else {
        LeaderRow now = LeaderRow.parseFrom(change.value());
        LeaderRow before = leaders.put(loop, now);
        if (before == null || !before.getHolder().equals(now.getHolder())) {
          holders.merge(loop, 1, Integer::sum);
        }
      }
    } else if (key.startsWith(Rows.INTENT.prefix()) && change.value() != null) {
      TaskIntentRow intent = TaskIntentRow.parseFrom(change.value());
      intents.put(intent.getId(), intent);
      created.putIfAbsent(intent.getId(), change.modRevision());
      if (intent.getDesired() == TaskState.TASK_REMOVE) {
        removed.putIfAbsent(intent.getId(), change.modRevision());
      }
    } else if (key.startsWith(Rows.NODE_STATUS.prefix()) && change.value() != null) {
      NodeStatusRow node = NodeStatusRow.parseFrom(change.value());
      if (node.getState().equals("down")) {
        violations.add("node " + node.getNodeId() + " was taken for dead at revision " + change.modRevision() + ": " + node.getMessage());
      }
    }
  }

  synchronized List<String> violations() {
    return List.copyOf(violations);
  }

  synchronized long last() {
    return last;
  }

  /** As it was last seen, also when it is gone; null when the store never held it. */
  synchronized TaskIntentRow intent(String task) {
    return intents.get(task);
  }

  /** Whether users did not want the one any more when the other was made: they scaled down and up again, or removed the service. */
  synchronized boolean removedBefore(String task, String other) {
    Long gone = removed.get(task);
    return gone != null && gone <= created.get(other);
  }

  /** When the loop decided first after this moment; 0: not yet. */
  synchronized long decidedAfter(String loop, long nanos) {
    return decisions.getOrDefault(loop, List.of()).stream().filter(when -> when - nanos > 0).findFirst().orElse(0L);
  }

  /** How often another process came to hold the loop. */
  synchronized int holders(String loop) {
    return holders.getOrDefault(loop, 0);
  }
}
