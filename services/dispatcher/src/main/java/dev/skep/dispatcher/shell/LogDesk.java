package dev.skep.dispatcher.shell;

import com.google.protobuf.Timestamp;
import dev.skep.dispatcher.core.Holding;
import dev.skep.dispatcher.core.LogPlan;
import dev.skep.dispatcher.core.Stamp;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogLine;
import dev.skep.dispatcher.v1.LogOptions;
import dev.skep.dispatcher.v1.LogProblem;
import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.runtime.Host;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import dev.skep.state.v1.DispatcherRow;
import io.grpc.Status;
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
  private static final Status NOT_HERE = Status.UNAVAILABLE.withDescription("the node has no session with this dispatcher");

  /** One reader with what was asked of whom. */
  static final class Open {
    private final LogReader reader;
    private final Map<String, SortedSet<String>> asked = new HashMap<>(); // by node
    private final Set<String> pending = new HashSet<>(); // nodes that will still send something
    private final List<LogProblem> problems = new ArrayList<>();
    private final Map<String, String> nodeOfTask = new ConcurrentHashMap<>(); // read by calls
    private final Map<String, FarLogs.Call> far = new HashMap<>(); // by node
    private final Map<String, Timestamp> lastLine = new ConcurrentHashMap<>(); // by node; written by calls

    Open(LogReader reader) {
      this.reader = reader;
    }

    LogReader reader() {
      return reader;
    }

    /** Where to go on: lines that were handed out already do not come again. */
    private LogOptions options(String nodeId) {
      LogOptions.Builder options = reader.selector().getOptions().toBuilder();
      Timestamp last = lastLine.get(nodeId);
      return last == null ? options.build() : options.setTail(-1).setSince(Stamp.of(Stamp.at(last).plusNanos(1))).build();
    }

    private void endFar(String nodeId) {
      FarLogs.Call call = far.remove(nodeId);
      if (call != null) {
        call.end();
      }
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
  private final String me;
  private FarLogs far; // set before the dispatcher's thread starts
  private final Map<String, Open> readers = new ConcurrentHashMap<>();
  private final Map<String, NodeSession> sessions = new HashMap<>();

  /** @param me this dispatcher's id */
  LogDesk(Host host, String me) {
    this.host = host;
    this.me = me;
  }

  void far(FarLogs through) {
    far = through;
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
    ask(open, plan, state);
    reader.start(host);
    endWhenDone(open, state);
  }

  /** The reader went away. */
  void close(String readerId) {
    Open open = readers.remove(readerId);
    if (open != null) {
      open.reader.close();
      List.copyOf(open.far.keySet()).forEach(open::endFar);
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

  private void ask(Open open, LogPlan plan, ClusterState state) {
    plan.tasksByNode().forEach((node, tasks) -> {
      open.asked.computeIfAbsent(node, id -> new TreeSet<>()).addAll(tasks);
      tasks.forEach(task -> open.nodeOfTask.put(task, node));
      NodeSession session = sessions.get(node);
      Optional<DispatcherRow> other = Holding.elsewhere(state, node, me);
      if (session != null) {
        open.pending.add(node);
        session.tell(subscription(open, tasks, open.reader.selector().getOptions()));
      } else if (open.reader.selector().getLocal()) {
        readers.remove(open.reader.id());
        open.reader.fail(NOT_HERE);
      } else if (other.isPresent()) {
        open.pending.add(node);
        askFar(open, node, other.get());
      } else if (!open.reader.follows()) {
        tasks.forEach(task -> problem(open, task, LogPlan.unavailable(node)));
      } else {
        open.pending.add(node); // it is asked when it comes back
      }
    });
  }

  /** All tasks of the node anew: what was read already is passed over. */
  private void askFar(Open open, String node, DispatcherRow dispatcher) {
    open.endFar(node);
    LogSelector selector =
        LogSelector.newBuilder().setLocal(true).addAllTaskIds(open.asked.get(node)).setOptions(open.options(node)).build();
    open.far.put(node, far.read(open, node, dispatcher, selector));
  }

  /** Another dispatcher has handed out what the node had, or, when it broke, cannot go on. */
  void farEnded(FarLogs.Call call, Open open, String node, boolean broke, ClusterState state) {
    if (!open.far.remove(node, call) || !open.pending.contains(node)) {
      return;
    }
    if (broke) {
      broke(open.reader.id(), node, state);
    } else {
      ended(open.reader.id(), node, state);
    }
  }

  /** A follow goes on through whatever dispatcher has the node's session now. */
  private void resumeFar(Open open, ClusterState state) {
    for (String node : List.copyOf(open.pending)) {
      Optional<DispatcherRow> other = sessions.containsKey(node) ? Optional.empty() : Holding.elsewhere(state, node, me);
      FarLogs.Call call = open.far.get(node);
      if (other.isPresent() && (call == null || !call.dispatcherId().equals(other.get().getId()))) {
        askFar(open, node, other.get());
      }
    }
  }

  /** After a pause: what broke may have come back without a change in the store. */
  void retryFar(ClusterState state) {
    readers.values().stream().filter(open -> open.reader.follows()).forEach(open -> resumeFar(open, state));
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
        open.endFar(node);
        session.tell(subscription(open, open.asked.get(node), open.options(node)));
      }
    }
  }

  void sessionClosed(NodeSession session, ClusterState state) {
    if (sessions.remove(session.nodeId(), session)) {
      for (Open open : List.copyOf(readers.values())) {
        if (open.reader.selector().getLocal() && open.pending.contains(session.nodeId())) {
          readers.remove(open.reader.id());
          open.reader.fail(NOT_HERE);
        } else {
          broke(open.reader.id(), session.nodeId(), state);
        }
      }
    }
  }

  // ---- the state moves ----

  void moved(ClusterState state, List<RowChange> changes) {
    if (readers.isEmpty()) {
      return;
    }
    if (changes.stream().anyMatch(change -> change.of(Rows.PLACEMENT) || change.of(Rows.INTENT) || change.of(Rows.SERVICE))) {
      reset(state);
    }
    if (changes.stream().anyMatch(change -> change.of(Rows.SESSION) || change.of(Rows.PEER))) {
      retryFar(state);
    }
  }

  /** Looks whether tasks joined what is followed, or nothing is left of it. */
  void reset(ClusterState state) {
    for (Open open : List.copyOf(readers.values())) {
      if (open.reader.follows()) {
        ask(open, LogPlan.of(state, open.reader.selector(), Set.copyOf(open.nodeOfTask.keySet())), state);
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
