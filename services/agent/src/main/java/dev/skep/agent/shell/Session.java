package dev.skep.agent.shell;

import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.Beat;
import dev.skep.dispatcher.v1.BeatReply;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.dispatcher.v1.NodeReportReply;
import dev.skep.dispatcher.v1.PauseReply;
import dev.skep.dispatcher.v1.PauseRequest;
import dev.skep.dispatcher.v1.SessionMessage;
import dev.skep.dispatcher.v1.SessionRef;
import dev.skep.dispatcher.v1.SessionRequest;
import dev.skep.dispatcher.v1.UpdateTaskStatusReply;
import dev.skep.dispatcher.v1.UpdateTaskStatusRequest;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.runtime.Host;
import dev.skep.runtime.Membership.Identity;
import dev.skep.runtime.grpc.NodeCaller;
import dev.skep.state.v1.TaskStatusRow;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's connection to the cluster: one session with its streams, opened again for ever. State is the agent's
 * thread's; answers of streams that were given up are ignored.
 */
final class Session {
  /** The node that the session speaks for. Called on the agent's thread. */
  interface Node {
    NodeReport report();

    /** A session begins: the cluster should hear of every task again. */
    Collection<TaskStatusRow> opened();

    /** @param confirmed the message opens a stream that was asked for to confirm an earlier one */
    void assignments(AssignmentsMessage message, boolean confirmed);

    void feed(FeedUpdate update);

    void logs(LogSubscription subscription, DispatcherGrpc.DispatcherStub stub);

    /** Epoch and revision of the feed that this node has applied. */
    Beat position();
  }

  private static final Logger LOG = LoggerFactory.getLogger(Session.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1); // a node that can reach a manager again must not be missed
  private static final Duration REFUSED_PAUSE = Duration.ofSeconds(30); // one that was removed is not wanted soon
  private static final Duration ANSWER = Duration.ofSeconds(5); // to a node that wants a session
  private static final int MOST_UNANSWERED = 16; // periods
  private static final int BATCH = 1000;
  private static final Duration AGAIN = Duration.ofSeconds(1); // what was not taken is said again
  private static final Duration BACK_WITHIN = Duration.ofSeconds(30);
  private static final Duration FAREWELL = Duration.ofSeconds(3);

  private final Host host;
  private final Executor agent;
  private final Node node;
  private final NodeTrust trust;
  private final DispatcherGrpc.DispatcherStub stub;
  private final DispatcherGrpc.DispatcherStub beatStub;
  private final Map<String, TaskStatusRow> unsent = new LinkedHashMap<>();
  private Context.CancellableContext streams;
  private Context.CancellableContext assignments;
  private StreamObserver<Beat> beats;
  private final Elsewhere elsewhere;
  private String id = "";
  private Duration period = Duration.ofSeconds(1);
  private Duration pause = FIRST_PAUSE;
  private String said = "";
  private long attempt;
  private long number;
  private int unanswered; // periods since the manager last answered a beat
  private boolean sending;
  private boolean reporting;
  private boolean reportDue;
  private boolean closed;

  Session(Host host, Executor agent, String nodeId, NodeTrust trust, Node node) {
    this.host = host;
    this.agent = agent;
    this.node = node;
    this.trust = trust;
    this.elsewhere = new Elsewhere(host, agent, this::go);
    trust.beforeRestart(this::pause);
    this.stub = DispatcherGrpc.newStub(NodeCaller.channel(host.channel("dispatcher"), nodeId));
    this.beatStub = DispatcherGrpc.newStub(NodeCaller.channel(host.channel("dispatcher", "heartbeat"), nodeId));
  }

  void open() {
    if (closed) {
      return;
    }
    if (isOpen()) {
      throw new IllegalStateException("session " + id + " is open: what another one says would be taken for its own");
    }
    long mine = ++attempt;
    streams = Context.ROOT.withCancellation();
    SessionRequest request = SessionRequest.newBuilder().setReport(node.report()).build();
    streams.run(() -> stub.session(request, stream(mine, this::message)));
    host.after(ANSWER, () -> agent.execute(() -> {
      if (mine == attempt && !isOpen()) {
        silent();
      }
    }));
  }

  /** A manager that does not answer is no manager; when there is another, that one may. */
  private boolean silent() {
    boolean another = host.managerSilent();
    if (another) {
      again(Status.UNAVAILABLE.withDescription("the manager does not answer"));
    }
    return another;
  }

  boolean isOpen() {
    return !id.isEmpty();
  }

  private void message(SessionMessage message) {
    if (message.getHeartbeatPeriodNanos() > 0) {
      period = Duration.ofNanos(message.getHeartbeatPeriodNanos());
    }
    if (id.isEmpty() && !message.getSessionId().isEmpty()) {
      begin(message.getSessionId());
    }
    trust.heard(message);
    message.getLogSubscriptionsList().forEach(subscription -> node.logs(subscription, stub));
  }

  private void begin(String sessionId) {
    LOG.info("session {} with the cluster", sessionId);
    id = sessionId;
    pause = FIRST_PAUSE;
    said = "";
    host.session().opened();
    elsewhere.told(false);
    unanswered = 0;
    long mine = attempt;
    streams.run(() -> beats = beatStub.heartbeat(stream(mine, this::reply)));
    beat(mine);
    openAssignments(false);
    streams.run(() -> stub.feed(SessionRef.newBuilder().setSessionId(id).build(), stream(mine, node::feed)));
    unsent.clear();
    node.opened().forEach(row -> unsent.put(row.getTaskId(), row));
    send();
  }

  private void reply(BeatReply reply) {
    unanswered = 0;
    if (reply.getPeriodNanos() > 0) {
      period = Duration.ofNanos(reply.getPeriodNanos());
    }
    elsewhere.told(reply.getStoreLost());
  }

  private void beat(long mine) {
    if (mine == attempt && isOpen() && !closed) {
      if (++unanswered > MOST_UNANSWERED && silent()) {
        return;
      }
      sendBeat();
      trust.look();
      host.after(period, () -> agent.execute(() -> beat(mine)));
    }
  }

  /** Also between two periods: what leaves traffic waits for the revision that a beat carries. */
  void sendBeat() {
    if (isOpen()) {
      beats.onNext(node.position().toBuilder().setSessionId(id).setNumber(++number).build());
    }
  }

  /** Asks for everything anew. {@code confirming}: to see whether a drastic set was meant. */
  void reopenAssignments(boolean confirming, Duration after) {
    if (!isOpen()) {
      return;
    }
    giveUpAssignments();
    long mine = attempt;
    host.after(
        after,
        () ->
            agent.execute(
                () -> {
                  if (mine == attempt && isOpen() && !closed) {
                    openAssignments(confirming);
                  }
                }));
  }

  private void openAssignments(boolean confirming) {
    giveUpAssignments();
    Context.CancellableContext own = streams.withCancellation();
    assignments = own;
    boolean[] first = {confirming};
    StreamObserver<AssignmentsMessage> observer =
        stream(
            attempt,
            message -> {
              if (own == assignments) {
                boolean confirmed = first[0];
                first[0] = false;
                node.assignments(message, confirmed);
              }
            },
            () -> own == assignments);
    own.run(() -> stub.assignments(SessionRef.newBuilder().setSessionId(id).build(), observer));
  }

  /** Forgotten first, so that its end is not taken for the session's. */
  private void giveUpAssignments() {
    Context.CancellableContext before = assignments;
    assignments = null;
    if (before != null) {
      before.cancel(null);
    }
  }

  void report(TaskStatusRow row) {
    unsent.remove(row.getTaskId());
    unsent.put(row.getTaskId(), row);
    // After what else is in the mailbox, so that steps of many tasks go in one call.
    agent.execute(this::send);
  }

  private void send() {
    if (sending || !isOpen() || unsent.isEmpty()) {
      return;
    }
    sending = true;
    List<TaskStatusRow> batch = unsent.values().stream().limit(BATCH).toList();
    batch.forEach(row -> unsent.remove(row.getTaskId()));
    long mine = attempt;
    UpdateTaskStatusRequest request = UpdateTaskStatusRequest.newBuilder().setSessionId(id).addAllUpdates(batch).build();
    streams.run(
        () ->
            stub.updateTaskStatus(
                request,
                unary(
                    mine,
                    (UpdateTaskStatusReply _) -> {
                      sending = false;
                      send();
                    },
                    why -> untaken(mine, why, () -> {
                      batch.forEach(row -> unsent.putIfAbsent(row.getTaskId(), row));
                      sending = false;
                      send();
                    }))));
  }

  /** A store that is away is no reason to give up the session: the streams of one that cannot be reached any more end, too. */
  private void untaken(long mine, Status why, Runnable again) {
    if (why.getCode() == Status.Code.UNAVAILABLE) {
      host.after(AGAIN, () -> agent.execute(() -> {
        if (mine == attempt && isOpen()) {
          again.run();
        }
      }));
    } else {
      failed(mine, why);
    }
  }

  /** One at a time: of two on their way the older one might be written last. */
  void reportNode() {
    reportDue = true;
    if (isOpen() && !reporting) {
      reportDue = false;
      reporting = true;
      NodeReport report = node.report().toBuilder().setSessionId(id).build();
      long mine = attempt;
      streams.run(() -> stub.reportNode(report, unary(mine, (NodeReportReply _) -> reported(), why -> untaken(mine, why, () -> {
        reportDue = true;
        reported();
      }))));
    }
  }

  private void reported() {
    reporting = false;
    if (reportDue) {
      reportNode();
    }
  }

  /** The manager has lost the store, and another one has it. */
  private void go(String address) {
    host.managerChosen(address);
    pause = FIRST_PAUSE;
    lost(attempt, Status.ABORTED.withDescription("the manager has lost the store, and the one at " + address + " has it"));
  }

  /** Says that this process starts again, as long as somebody listens, and goes on. */
  private void pause(Runnable then) {
    PauseRequest request = PauseRequest.newBuilder().setSessionId(id).setBackWithinNanos(BACK_WITHIN.toNanos()).build();
    stub.withDeadlineAfter(FAREWELL.toMillis(), TimeUnit.MILLISECONDS).pause(request, new OnAgent<PauseReply>(agent, _ -> then.run(), status -> {
      LOG.warn("nobody expects this node to be silent while it starts again: {}", status);
      then.run();
    }, () -> !closed, false));
  }

  /** Begins anew, as after a lost connection. */
  void restart() {
    lost(attempt, Status.ABORTED.withDescription("begun anew"));
  }

  private void lost(long mine, Status why) {
    if (mine != attempt || closed) {
      return;
    }
    if (!isOpen() && why.getCode() == Status.Code.UNAVAILABLE) {
      host.managerSilent(); // it answers, but cannot serve: another one may
    }
    again(why);
  }

  /** Ends what there is of a session, and opens the next after a pause: once, however many reasons come meanwhile. */
  private void again(Status why) {
    long ended = ++attempt;
    if (!isOpen() && why.getCode() == Status.Code.UNAVAILABLE) {
      elsewhere.told(host.membership().current().filter(Identity::manager).isPresent()); // its own agent stays by itself
    }
    end();
    String problem = SessionProblem.text(why, host.trust().certificate(), host.clock().instant());
    host.session().lost(problem);
    if (!said.equals(problem)) {
      said = problem;
      LOG.warn("no session with the cluster ({}: {}); what runs goes on, trying again", why.getCode(), said);
    }
    long wait = ThreadLocalRandom.current().nextLong(pause.toMillis() / 2, pause.toMillis() + 1);
    Duration doubled = pause.multipliedBy(2);
    Duration longest = why.getCode() == Status.Code.PERMISSION_DENIED ? REFUSED_PAUSE : LONGEST_PAUSE;
    pause = doubled.compareTo(longest) > 0 ? longest : doubled;
    host.after(Duration.ofMillis(wait), () -> agent.execute(() -> {
      if (ended == attempt) {
        open();
      }
    }));
  }

  private void end() {
    id = "";
    sending = false;
    reporting = false;
    reportDue = false;
    assignments = null;
    if (streams != null) {
      streams.cancel(null);
    }
  }

  void close() {
    closed = true;
    attempt++;
    end();
  }

  private <T> StreamObserver<T> unary(long mine, Consumer<T> next) {
    return unary(mine, next, status -> failed(mine, status));
  }

  private <T> StreamObserver<T> unary(long mine, Consumer<T> next, Consumer<Status> failed) {
    return new OnAgent<>(agent, next, failed, () -> mine == attempt, false);
  }

  private <T> StreamObserver<T> stream(long mine, Consumer<T> next) {
    return stream(mine, next, () -> true);
  }

  private <T> StreamObserver<T> stream(long mine, Consumer<T> next, BooleanSupplier live) {
    return new OnAgent<>(agent, next, status -> failed(mine, status), () -> mine == attempt && live.getAsBoolean(), true);
  }

  private void failed(long mine, Status status) {
    lost(mine, status);
  }
}
