package dev.skep.dispatcher.shell;

import com.google.protobuf.Timestamp;
import dev.skep.dispatcher.core.LogPlan;
import dev.skep.dispatcher.core.Stamp;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogLine;
import dev.skep.dispatcher.v1.LogOptions;
import dev.skep.dispatcher.v1.LogProblem;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.runtime.Host;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Brings the logs of tasks from their nodes to readers. Belongs to the dispatcher's thread, but for what publishing
 * nodes look up.
 */
final class LogDesk {
  /** One reader with what was asked of whom. */
  static final class Open {
    private final LogReader reader;
    private final Map<String, SortedSet<String>> asked = new HashMap<>(); // by node
    private final Set<String> pending = new HashSet<>(); // nodes that will still send something
    private final List<LogProblem> problems = new ArrayList<>();
    private final Map<String, String> nodeOfTask = new ConcurrentHashMap<>(); // read by calls
    private final Map<String, Timestamp> lastLine = new ConcurrentHashMap<>(); // by node; written by calls

    Open(LogReader reader) {
      this.reader = reader;
    }

    LogReader reader() {
      return reader;
    }

    /** Whether the node was asked for these lines; remembers where to go on after it was away. */
    boolean accepts(String nodeId, LogBatch batch) {
      for (LogLine line : batch.getLinesList()) {
        if (!nodeId.equals(nodeOfTask.get(line.getTaskId()))) {
          return false;
        }
        if (line.hasTimestamp()) {
          lastLine.put(nodeId, line.getTimestamp());
        }
      }
      return true;
    }
  }

  private final Host host;
  private final Map<String, Open> readers = new ConcurrentHashMap<>();
  private final Map<String, NodeSession> sessions = new HashMap<>();

  LogDesk(Host host) {
    this.host = host;
  }

  int size() {
    return readers.size();
  }

  /** From any thread. */
  Optional<Open> find(String subscriptionId) {
    return Optional.ofNullable(readers.get(subscriptionId));
  }

  // ---- readers ----

  void open(LogReader reader, ClusterState state) {
    Open open = new Open(reader);
    readers.put(reader.id(), open);
    LogPlan plan = LogPlan.of(state, reader.selector(), Set.of());
    plan.problems().forEach((task, reason) -> {
      // A task without a node may still get one, and then joins a follow.
      if (!reader.follows() || plan.tasksByNode().isEmpty() && !LogPlan.mayGrow(state, reader.selector())) {
        problem(open, task, reason);
      }
    });
    ask(open, plan);
    reader.start(host);
    endWhenDone(open, state);
  }

  /** The reader went away. */
  void close(String readerId) {
    Open open = readers.remove(readerId);
    if (open != null) {
      open.reader.close();
      for (String node : open.pending) {
        NodeSession session = sessions.get(node);
        if (session != null) {
          session.tell(LogSubscription.newBuilder().setId(readerId).setClose(true).build());
        }
      }
    }
  }

  void closeAll() {
    List.copyOf(readers.keySet()).forEach(this::close);
  }

  private void ask(Open open, LogPlan plan) {
    plan.tasksByNode().forEach((node, tasks) -> {
      open.asked.computeIfAbsent(node, id -> new TreeSet<>()).addAll(tasks);
      tasks.forEach(task -> open.nodeOfTask.put(task, node));
      NodeSession session = sessions.get(node);
      if (session != null) {
        open.pending.add(node);
        session.tell(subscription(open, tasks, open.reader.selector().getOptions()));
      } else if (!open.reader.follows()) {
        tasks.forEach(task -> problem(open, task, LogPlan.unavailable(node)));
      } else {
        open.pending.add(node); // it is asked when it comes back
      }
    });
  }

  private static LogSubscription subscription(Open open, SortedSet<String> tasks, LogOptions options) {
    return LogSubscription.newBuilder().setId(open.reader.id()).addAllTaskIds(tasks).setOptions(options).build();
  }

  private static void problem(Open open, String task, String reason) {
    open.problems.add(LogProblem.newBuilder().setTaskId(task).setReason(reason).build());
  }

  private void endWhenDone(Open open, ClusterState state) {
    boolean more = open.reader.follows() && LogPlan.mayGrow(state, open.reader.selector());
    if (open.pending.isEmpty() && !more) {
      readers.remove(open.reader.id());
      open.reader.end(host, List.copyOf(open.problems));
    }
  }

  // ---- nodes ----

  /** All that the node had to send has been put in. */
  void ended(String readerId, String nodeId, ClusterState state) {
    Open open = readers.get(readerId);
    if (open != null && open.pending.remove(nodeId)) {
      endWhenDone(open, state);
    }
  }

  /** The node's stream broke off. A follow goes on when the node is back. */
  void broke(String readerId, String nodeId, ClusterState state) {
    Open open = readers.get(readerId);
    if (open != null && open.pending.contains(nodeId)) {
      if (!open.reader.follows()) {
        open.pending.remove(nodeId);
        open.asked.get(nodeId).forEach(task -> problem(open, task, LogPlan.unavailable(nodeId)));
        endWhenDone(open, state);
      }
    }
  }

  void sessionOpened(NodeSession session) {
    String node = session.nodeId();
    sessions.put(node, session);
    for (Open open : readers.values()) {
      if (open.pending.contains(node)) {
        LogOptions.Builder options = open.reader.selector().getOptions().toBuilder();
        Timestamp last = open.lastLine.get(node);
        if (last != null) {
          // Lines that were handed out already do not come again.
          options.setTail(-1).setSince(Stamp.of(Stamp.at(last).plusNanos(1)));
        }
        session.tell(subscription(open, open.asked.get(node), options.build()));
      }
    }
  }

  void sessionClosed(NodeSession session, ClusterState state) {
    if (sessions.remove(session.nodeId(), session)) {
      List.copyOf(readers.keySet()).forEach(reader -> broke(reader, session.nodeId(), state));
    }
  }

  // ---- the state moves ----

  void moved(ClusterState state, List<RowChange> changes) {
    boolean tasks = changes.stream().anyMatch(change -> change.of(Rows.PLACEMENT) || change.of(Rows.INTENT) || change.of(Rows.SERVICE));
    if (tasks && !readers.isEmpty()) {
      reset(state);
    }
  }

  /** Looks whether tasks joined what is followed, or nothing is left of it. */
  void reset(ClusterState state) {
    for (Open open : List.copyOf(readers.values())) {
      if (open.reader.follows()) {
        ask(open, LogPlan.of(state, open.reader.selector(), Set.copyOf(open.nodeOfTask.keySet())));
        forgetRemoved(open, state);
        endWhenDone(open, state);
      }
    }
  }

  /** A node that is away will never be asked again for tasks that nobody intends any more. */
  private void forgetRemoved(Open open, ClusterState state) {
    open.pending.removeIf(
        node -> !sessions.containsKey(node) && open.asked.get(node).stream().noneMatch(task -> state.has(Rows.INTENT.key(task))));
  }
}
