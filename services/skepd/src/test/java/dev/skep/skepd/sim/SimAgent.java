package dev.skep.skepd.sim;

import com.google.protobuf.Timestamp;
import dev.skep.agent.core.Adoption;
import dev.skep.agent.core.AssignmentSet;
import dev.skep.agent.core.AssignmentSet.Outcome;
import dev.skep.agent.core.Goal;
import dev.skep.agent.core.Ownership;
import dev.skep.agent.core.Progress;
import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.FeedState;
import dev.skep.state.v1.NetworkProblem;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.sim.SimProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** One life of an agent: the real core's decisions, carried out on a simulated engine. */
final class SimAgent implements Streams.Receiver, Outbox.Line {
  private static final Duration RETRY = Duration.ofMillis(200);
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(5);
  private static final Duration NOTICED = Duration.ofSeconds(1);

  private final SimNode node;
  private final SimProcess process;
  private final Ownership ownership;
  private final Map<String, TaskWork> tasks = new TreeMap<>();
  private final Outbox outbox;
  private final NetworkWork networks;
  private final SecondLook law = new SecondLook();
  private AssignmentSet set = AssignmentSet.empty();
  private FeedState feed = FeedState.empty();
  private boolean authoritative;
  private final Streams streams;
  private final Connection connection;

  SimAgent(SimNode node) {
    this.node = node;
    this.process = node.process();
    this.streams = new Streams(node, this, law);
    this.ownership = new Ownership("", SimCluster.CLUSTER_ID, node.id());
    this.connection = new Connection(node, this, streams);
    this.outbox = new Outbox(node, connection::seat, this);
    this.networks = new NetworkWork(node, ownership, this::networksChanged);
    AssignmentsMessage durable = node.disk();
    if (durable != null) {
      set = AssignmentSet.ofDurable(durable);
    }
    feed = node.feedDisk();
    node.feedEdge(feed);
    node.engine().listen(process.mine(this::changed));
    adopt();
    lookAgain();
  }

  String nodeId() {
    return ownership.nodeId();
  }

  /** Tasks that should run here, as far as the agent has been told. */
  Set<String> wanted() {
    Set<String> wanted = new HashSet<>(set.tasks().keySet());
    wanted.removeIf(id -> Goal.of(set.tasks().get(id).getDesired()) != Goal.RUN);
    return wanted;
  }

  // ---- starting ----

  private void adopt() {
    node.engine().list(
        process.mine(found -> {
          networks.start();
          sort(found);
          set.tasks().forEach((id, task) -> work(id).goal(Goal.of(task.getDesired()), task));
          networks.want(set.networks(), feed);
          connection.open();
        }),
        process.mine(none -> process.after(RETRY, this::adopt)));
  }

  private void sort(List<Adoption.Found> found) {
    List<Adoption.Found> seen = node.mutants(Mutant.WIPED_NODE_KEEPS_OLD)
        ? found.stream().filter(one -> ownership.nodeId().equals(one.labels().get(Ownership.NODE))).toList()
        : found;
    Adoption adoption = Adoption.of(ownership, seen, set.tasks().keySet(), authoritative);
    if (!node.mutants(Mutant.NO_ADOPTION)) {
      adoption.doomed().forEach(id -> node.engine().remove(id, answer -> { }));
    }
  }

  /** Containers may appear that nobody remembers asking for: a call of an earlier life was still under way. */
  private void lookAgain() {
    process.after(LOOK_AGAIN, () -> {
      if (authoritative) {
        node.engine().list(process.mine(this::sort), none -> { });
      }
      tasks.values().forEach(TaskWork::look);
      lookAgain();
    });
  }

  private void changed(Container container) {
    TaskWork work = tasks.get(container.task.getId());
    if (work != null) {
      work.look();
    }
  }

  // ---- the session ----

  Connection connection() {
    return connection;
  }

  /** A session begins: the cluster hears of everything again. */
  void opened() {
    tellAll();
    outbox.sendReport();
  }

  /** The revision that this node and its edge go by, of the epoch of its feed. */
  long applied() {
    return Math.min(networks.appliedFeed(feed.epoch()), node.edgeApplied(feed.epoch()));
  }

  @Override
  public String session() {
    return connection.session();
  }

  @Override
  public void over() {
    connection.again();
  }

  @Override
  public boolean awaits(long attempt) {
    return connection.awaits(attempt);
  }

  @Override
  public void broken(SessionKey key) {
    connection.broken(key);
  }

  // ---- what comes in ----

  @Override
  public void assigned(AssignmentsMessage message, boolean confirmed) {
    Set<String> running = new HashSet<>();
    tasks.forEach((id, work) -> {
      if (work.running()) {
        running.add(id);
      }
    });
    Outcome outcome = judged(message, running, confirmed);
    switch (outcome) {
      case Outcome.Applied applied -> {
        streams.confirm(false);
        watched(applied.set());
        apply(applied.set(), message.getComplete());
      }
      case Outcome.Refused refused -> {
        process.note("refuses: " + refused.reason());
        process.after(RETRY, this::reopen);
      }
      case Outcome.Unconfirmed unconfirmed -> {
        process.note("looks twice before it removes " + unconfirmed.removed());
        law.doubted();
        streams.confirm(true);
        reopen();
      }
    }
  }

  /** The set as the law sees it: by what the engine runs, and not by what the agent knows of it. */
  private void watched(AssignmentSet next) {
    List<String> running = node.engine().running().stream()
        .filter(container -> container.nodeId().equals(node.id()) && container.startedAt.plus(NOTICED).compareTo(node.world().elapsed()) < 0)
        .map(container -> container.task.getId())
        .filter(set.tasks()::containsKey)
        .toList();
    law.taken(running.stream().filter(id -> !next.tasks().containsKey(id)).toList(), running.size());
  }

  private void reopen() {
    if (streams.assigning()) {
      connection.reopen(streams.key());
    }
  }

  private Outcome judged(AssignmentsMessage message, Set<String> running, boolean confirmed) {
    if (node.mutants(Mutant.APPLY_OLD_ASSIGNMENTS)) {
      return new AssignmentSet(set.epoch(), 0, set.tasks(), set.networks()).apply(message, running, true);
    }
    if (node.mutants(Mutant.DIFFERENCE_TAKEN_FOR_ALL)) {
      return AssignmentSet.empty().apply(message.toBuilder().setComplete(true).build(), running, true);
    }
    return set.apply(message, running, confirmed || node.mutants(Mutant.NO_SECOND_LOOK));
  }

  private void apply(AssignmentSet next, boolean complete) {
    set = next;
    tasks.forEach((id, work) -> {
      if (!next.tasks().containsKey(id)) {
        work.goal(Goal.GONE, null);
      }
    });
    next.tasks().forEach((id, task) -> work(id).goal(Goal.of(task.getDesired()), task));
    if (complete) {
      authoritative = true;
      node.engine().list(process.mine(this::sort), none -> { });
    }
    networks.want(set.networks(), feed);
    persist();
  }

  /** A session begins: the cluster hears of every task again. It may have lost what it heard before. */
  private void tellAll() {
    List<TaskStatusRow> rows = new ArrayList<>();
    tasks.forEach((id, work) -> {
      if (work.goal() != Goal.GONE && work.progress().state().getNumber() > TaskState.TASK_ASSIGNED_VALUE) {
        rows.add(work.progress().row(id, node.id(), stamp(process.now())));
      }
    });
    outbox.begin(rows);
  }

  private TaskWork work(String id) {
    return tasks.computeIfAbsent(id, fresh -> new TaskWork(node, this, id, set.tasks().get(fresh)));
  }

  void persist() {
    node.write(() -> set.durable(id -> {
      TaskWork work = tasks.get(id);
      Progress progress = work == null ? Progress.fresh() : work.progress();
      return progress.row(id, node.id(), stamp(process.now()));
    }));
  }

  @Override
  public void fed(FeedUpdate update) {
    switch (feed.apply(update)) {
      case FeedState.Outcome.Moved applied -> {
        feed = applied.state();
        node.feedEdge(feed);
        node.writeFeed(() -> feed);
        networks.want(set.networks(), feed);
      }
      case FeedState.Outcome.Stale _ -> process.note("has newer endpoints than it is told");
      case FeedState.Outcome.NeedsComplete _ -> connection.again();
    }
  }

  FeedState feed() {
    return feed;
  }

  // ---- what goes out ----

  void status(String taskId, Progress progress) {
    outbox.put(progress.row(taskId, node.id(), stamp(process.now())));
    persist();
    outbox.send();
  }

  void forget(String taskId) {
    tasks.remove(taskId);
    outbox.remove(taskId);
  }

  private void networksChanged() {
    outbox.sendReport();
    tasks.values().forEach(TaskWork::look);
  }

  @Override
  public NodeReport report() {
    List<NetworkProblem> problems = new ArrayList<>();
    networks.problems().forEach((id, why) -> problems.add(NetworkProblem.newBuilder().setNetworkId(id).setReason(why).build()));
    return NodeReport.newBuilder()
        .setDescription(node.description())
        .setAdvertiseAddr(node.address())
        .addAllNetworkIds(networks.standing())
        .addAllNetworkProblems(problems)
        .build();
  }

  Streams streams() {
    return streams;
  }

  Ownership ownership() {
    return ownership;
  }

  NetworkWork networks() {
    return networks;
  }

  @Override
  public String toString() {
    return "agent of " + node.id() + ": " + connection + ", " + outbox + ", set of revision " + set.revision()
        + " with networks " + set.networks().keySet() + ", feed of " + feed.revision() + ", networks " + networks;
  }

  static Timestamp stamp(Instant time) {
    return Timestamp.newBuilder().setSeconds(time.getEpochSecond()).setNanos(time.getNano()).build();
  }
}
