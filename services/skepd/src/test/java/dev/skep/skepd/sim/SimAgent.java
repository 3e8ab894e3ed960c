package dev.skep.skepd.sim;

import com.google.protobuf.Timestamp;
import dev.skep.agent.core.Adoption;
import dev.skep.agent.core.AssignmentSet;
import dev.skep.agent.core.AssignmentSet.Outcome;
import dev.skep.agent.core.Goal;
import dev.skep.agent.core.Ownership;
import dev.skep.agent.core.Progress;
import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.core.Silence;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.ClusterState;
import dev.skep.state.FeedState;
import dev.skep.state.v1.NetworkProblem;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.sim.Net.Stream;
import dev.skep.testkit.sim.SimProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** One life of an agent: the real core's decisions, carried out on a simulated engine. */
final class SimAgent {
  private static final Duration RECONNECT = Duration.ofMillis(200);
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(5);

  private final SimNode node;
  private final SimProcess process;
  private final Supplier<SimDispatcher> dispatcher;
  private final Ownership ownership;
  private final Map<String, TaskWork> tasks = new TreeMap<>();
  private final Map<String, TaskStatusRow> unsent = new TreeMap<>();
  private final NetworkWork networks;
  private final int life;
  private AssignmentSet set = AssignmentSet.empty();
  private FeedState feed = FeedState.empty();
  private String session = "";
  private String streamKey = "";
  private Stream<AssignmentsMessage> assignmentStream;
  private Stream<FeedUpdate> feedStream;
  private boolean authoritative;
  private boolean confirming;
  private boolean firstOfStream;
  private boolean connecting;
  private boolean sending;
  private NodeReport reported;

  SimAgent(SimNode node, Supplier<SimDispatcher> dispatcher) {
    this.node = node;
    this.process = node.process();
    this.life = process.life();
    this.dispatcher = dispatcher;
    this.ownership = new Ownership("", SimCluster.CLUSTER_ID, node.id());
    this.networks = new NetworkWork(node, ownership, this::networksChanged);
    AssignmentsMessage durable = node.disk();
    if (durable != null) {
      set = AssignmentSet.ofDurable(durable);
    }
    node.engine().listen(process.mine(this::changed));
    adopt();
    beat();
    lookAgain();
  }

  String nodeId() {
    return node.id();
  }

  // ---- starting ----

  private void adopt() {
    node.engine().list(
        process.mine(found -> {
          networks.start(node.engine().networks());
          sort(found);
          set.tasks().forEach((id, task) -> work(id).goal(Goal.of(task.getDesired()), task));
          networks.want(set.networks(), feed);
          connect();
        }),
        process.mine(none -> process.after(RECONNECT, this::adopt)));
  }

  private void sort(List<Container> found) {
    if (node.mutants(Mutant.NO_ADOPTION)) {
      return;
    }
    List<Adoption.Found> all = found.stream().map(container -> new Adoption.Found(container.id, container.labels)).toList();
    Adoption adoption = Adoption.of(ownership, all, set.tasks().keySet(), authoritative);
    adoption.doomed().forEach(id -> node.engine().remove(id, answer -> { }));
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

  private void connect() {
    if (connecting) {
      return;
    }
    connecting = true;
    session = "";
    SimDispatcher[] there = new SimDispatcher[1];
    node.net().<Boolean>call(process, node.dispatcherProcess(), () -> {
      there[0] = dispatcher.get();
      there[0].register(this, report(), id -> node.net().send(node.dispatcherProcess(), process, () -> {
        connecting = false;
        session = id.orElse("");
        if (session.isEmpty() || !session.equals(streamKey) || !assignmentStream.open() || !feedStream.open()) {
          reconnect();
          return;
        }
        reported = null;
        send();
        sendReport();
      }));
      return true;
    }, answer -> {
      if (answer.isEmpty()) {
        connecting = false;
        reconnect();
      }
    });
    process.after(Duration.ofSeconds(3), () -> {
      if (connecting) {
        connecting = false;
        reconnect();
      }
    });
  }

  private void reconnect() {
    session = "";
    process.after(RECONNECT, this::connect);
  }

  /** Called by the dispatcher: the two streams of a new session end here. */
  <S> S streams(SimProcess from, SessionKey key, BiFunction<Stream<AssignmentsMessage>, Stream<FeedUpdate>, S> make) {
    if (process.life() != life) {
      Stream<AssignmentsMessage> noAssignments = node.net().open(from, process, message -> { }, () -> { });
      Stream<FeedUpdate> noFeed = node.net().open(from, process, update -> { }, () -> { });
      noAssignments.close();
      noFeed.close();
      return make.apply(noAssignments, noFeed);
    }
    if (assignmentStream != null) {
      assignmentStream.close();
      feedStream.close();
    }
    firstOfStream = true;
    streamKey = key.sessionId();
    assignmentStream = node.net().open(from, process, this::assigned, () -> broken(key));
    feedStream = node.net().open(from, process, this::fed, () -> broken(key));
    return make.apply(assignmentStream, feedStream);
  }

  private void broken(SessionKey key) {
    if (session.equals(key.sessionId()) || session.isEmpty()) {
      process.note("stream broke");
      reconnect();
    }
  }

  private void beat() {
    process.after(Silence.of(ClusterState.empty()).beat(), this::beat);
    if (session.isEmpty()) {
      return;
    }
    String mine = session;
    long applied = Math.min(networks.appliedFeed(), node.edgeApplied());
    node.net().send(process, node.dispatcherProcess(), () -> {
      if (!dispatcher.get().beat(node.id(), mine, applied)) {
        node.net().send(node.dispatcherProcess(), process, () -> {
          if (session.equals(mine)) {
            reconnect();
          }
        });
      }
    });
  }

  // ---- what comes in ----

  private void assigned(AssignmentsMessage message) {
    boolean confirmed = confirming && firstOfStream;
    firstOfStream = false;
    Set<String> running = new HashSet<>();
    node.engine().running().forEach(container -> running.add(container.task.getId()));
    Outcome outcome = judged(message, running, confirmed);
    switch (outcome) {
      case Outcome.Applied applied -> {
        confirming = false;
        apply(applied.set(), message.getComplete());
      }
      case Outcome.Refused refused -> {
        process.note("refuses: " + refused.reason());
        reconnect();
      }
      case Outcome.Unconfirmed unconfirmed -> {
        process.note("looks twice before it removes " + unconfirmed.removed());
        confirming = true;
        reconnect();
      }
    }
  }

  private Outcome judged(AssignmentsMessage message, Set<String> running, boolean confirmed) {
    if (node.mutants(Mutant.APPLY_OLD_ASSIGNMENTS)) {
      return new AssignmentSet(set.epoch(), 0, set.tasks(), set.networks()).apply(message, running, true);
    }
    if (node.mutants(Mutant.DIFFERENCE_TAKEN_FOR_ALL)) {
      return AssignmentSet.empty().apply(message.toBuilder().setComplete(true).build(), running, true);
    }
    return set.apply(message, running, confirmed);
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
      next.tasks().forEach(this::remind);
      authoritative = true;
      node.engine().list(process.mine(this::sort), none -> { });
    }
    networks.want(set.networks(), feed);
    persist();
  }

  /** What the cluster has not heard: an earlier life may have died between its disk and its report. */
  private void remind(String id, TaskAssignment task) {
    Progress progress = work(id).progress();
    if (progress.state().getNumber() > Math.max(task.getLastStatus().getStateValue(), TaskState.TASK_ASSIGNED_VALUE)) {
      status(id, progress);
    }
  }

  private TaskWork work(String id) {
    return tasks.computeIfAbsent(id, fresh -> new TaskWork(node, this, id, set.tasks().get(fresh)));
  }

  void persist() {
    node.write(set.durable(id -> {
      TaskWork work = tasks.get(id);
      Progress progress = work == null ? Progress.fresh() : work.progress();
      return progress.row(id, node.id(), stamp(process.now()));
    }));
  }

  private void fed(FeedUpdate update) {
    switch (feed.apply(update)) {
      case FeedState.Outcome.Moved applied -> {
        feed = applied.state();
        node.feedEdge(feed);
        networks.want(set.networks(), feed);
      }
      case FeedState.Outcome.Stale _ -> process.note("has newer endpoints than it is told");
      case FeedState.Outcome.NeedsComplete _ -> reconnect();
    }
  }

  FeedState feed() {
    return feed;
  }

  // ---- what goes out ----

  void status(String taskId, Progress progress) {
    unsent.put(taskId, progress.row(taskId, node.id(), stamp(process.now())));
    persist();
    send();
  }

  void forget(String taskId) {
    tasks.remove(taskId);
    unsent.remove(taskId);
  }

  private void send() {
    if (sending || session.isEmpty() || unsent.isEmpty()) {
      return;
    }
    sending = true;
    String mine = session;
    List<TaskStatusRow> rows = List.copyOf(unsent.values());
    call((there, answer) -> there.update(node.id(), mine, rows, answer), ok -> {
      sending = false;
      if (ok.isPresent() && ok.get()) {
        rows.forEach(row -> unsent.remove(row.getTaskId(), row));
        send();
      } else if (ok.isPresent() && session.equals(mine)) {
        reconnect();
      } else {
        process.after(RECONNECT, this::send);
      }
    });
  }

  private void networksChanged() {
    sendReport();
    tasks.values().forEach(TaskWork::look);
  }

  private void sendReport() {
    NodeReport report = report();
    if (session.isEmpty() || report.equals(reported)) {
      return;
    }
    String mine = session;
    reported = report;
    call((there, answer) -> there.report(node.id(), mine, report, answer), ok -> {
      if (ok.isEmpty() || !ok.get()) {
        reported = null;
        process.after(RECONNECT, this::sendReport);
      } else {
        sendReport();
      }
    });
  }

  /** A call whose answer comes when the dispatcher has something to say, or never. */
  private void call(BiConsumer<SimDispatcher, Consumer<Boolean>> body, Consumer<Optional<Boolean>> answer) {
    boolean[] over = new boolean[1];
    Consumer<Optional<Boolean>> once = result -> {
      if (!over[0]) {
        over[0] = true;
        answer.accept(result);
      }
    };
    process.after(Duration.ofSeconds(2), () -> once.accept(Optional.empty()));
    node.net().send(process, node.dispatcherProcess(), () ->
        body.accept(dispatcher.get(), ok -> node.net().send(node.dispatcherProcess(), process, () -> once.accept(Optional.of(ok)))));
  }

  private NodeReport report() {
    List<NetworkProblem> problems = new ArrayList<>();
    networks.problems().forEach((id, why) -> problems.add(NetworkProblem.newBuilder().setNetworkId(id).setReason(why).build()));
    return NodeReport.newBuilder()
        .setDescription(node.description())
        .setAdvertiseAddr(node.address())
        .addAllNetworkIds(node.engine().networks().keySet())
        .addAllNetworkProblems(problems)
        .build();
  }

  Ownership ownership() {
    return ownership;
  }

  NetworkWork networks() {
    return networks;
  }

  @Override
  public String toString() {
    return "agent of " + node.id() + ": session " + session + (connecting ? ", connecting" : "") + (sending ? ", sending" : "") + ", unsent "
        + unsent.keySet() + ", set of revision " + set.revision() + " with networks " + set.networks().keySet() + ", feed of " + feed.revision() + ", networks " + networks;
  }

  static Timestamp stamp(Instant time) {
    return Timestamp.newBuilder().setSeconds(time.getEpochSecond()).setNanos(time.getNano()).build();
  }
}
