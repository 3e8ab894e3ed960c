package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.core.AssignmentSet;
import dev.skep.dispatcher.core.Assignments;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.Beat;
import dev.skep.dispatcher.v1.BeatReply;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.dispatcher.v1.PublishLogsReply;
import dev.skep.dispatcher.v1.SessionMessage;
import dev.skep.dispatcher.v1.SessionRef;
import dev.skep.dispatcher.v1.SessionRequest;
import dev.skep.dispatcher.v1.UpdateTaskStatusRequest;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.runtime.grpc.NodeCaller;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** The node's end of the door: registers, takes what it is sent, reports what the test tells it. */
final class FakeAgent implements AutoCloseable {
  private static final int PATIENCE = 20;

  /** What a stream brought: a message, or its end. */
  record Got<T>(T message, Status end) {}

  private final String nodeId;
  private final DispatcherGrpc.DispatcherBlockingStub calls;
  private final DispatcherGrpc.DispatcherStub streams;
  private final Context.CancellableContext life = Context.current().withCancellation();
  private final BlockingQueue<Got<SessionMessage>> messages = new LinkedBlockingQueue<>();
  private final BlockingQueue<Got<AssignmentsMessage>> assigned = new LinkedBlockingQueue<>();
  private final BlockingQueue<Got<FeedUpdate>> fed = new LinkedBlockingQueue<>();
  private final BlockingQueue<Got<BeatReply>> beaten = new LinkedBlockingQueue<>();
  private final List<LogSubscription> subscriptions = new ArrayList<>();
  private final SortedMap<String, FeedEntry> feed = new TreeMap<>();
  private StreamObserver<Beat> beats;
  private String sessionId = "";
  private AssignmentSet set;
  private FeedUpdate lastFeed;

  FakeAgent(Channel dispatcher, String nodeId) {
    this.nodeId = nodeId;
    Channel channel = NodeCaller.channel(dispatcher, nodeId);
    calls = DispatcherGrpc.newBlockingStub(channel);
    streams = DispatcherGrpc.newStub(channel);
    set = AssignmentSet.empty(nodeId);
  }

  private static <T> StreamObserver<T> into(BlockingQueue<Got<T>> queue) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T message) {
        queue.add(new Got<>(message, null));
      }

      @Override
      public void onError(Throwable failure) {
        queue.add(new Got<>(null, Status.fromThrowable(failure)));
      }

      @Override
      public void onCompleted() {
        queue.add(new Got<>(null, Status.OK));
      }
    };
  }

  private static <T> Got<T> take(BlockingQueue<Got<T>> queue) throws InterruptedException {
    Got<T> got = queue.poll(PATIENCE, TimeUnit.SECONDS);
    if (got == null) {
      throw new AssertionError("nothing came");
    }
    return got;
  }

  /** Registers; returns how the session begins: OK, or why not. */
  Status register() throws InterruptedException {
    NodeReport report = NodeReport.newBuilder().setAdvertiseAddr("192.0.2.1").build();
    life.run(() -> streams.session(SessionRequest.newBuilder().setReport(report).build(), into(messages)));
    Got<SessionMessage> got = take(messages);
    if (got.end != null) {
      return got.end;
    }
    sessionId = got.message.getSessionId();
    subscriptions.addAll(got.message.getLogSubscriptionsList());
    life.run(() -> beats = streams.heartbeat(into(beaten)));
    return Status.OK;
  }

  /** How the session ends. */
  Status sessionEnd() throws InterruptedException {
    Got<SessionMessage> got = take(messages);
    while (got.end == null) {
      got = take(messages);
    }
    return got.end;
  }

  String sessionId() {
    return sessionId;
  }

  private SessionRef session() {
    return SessionRef.newBuilder().setSessionId(sessionId).build();
  }

  void openAssignments() {
    life.run(() -> streams.assignments(session(), into(assigned)));
  }

  void openFeed() {
    life.run(() -> streams.feed(session(), into(fed)));
  }

  /** Applies messages until the set is as wanted. */
  AssignmentSet awaitSet(Predicate<AssignmentSet> wanted) throws InterruptedException {
    while (!wanted.test(set)) {
      Got<AssignmentsMessage> got = take(assigned);
      if (got.end != null) {
        throw new AssertionError("assignments ended: " + got.end);
      }
      set = Assignments.applied(set, got.message);
    }
    return set;
  }

  AssignmentSet set() {
    return set;
  }

  /** Messages of the assignments stream that came and were not looked at. */
  int unread() {
    return assigned.size();
  }

  FeedUpdate awaitFeed(Predicate<SortedMap<String, FeedEntry>> wanted) throws InterruptedException {
    while (lastFeed == null || !wanted.test(feed)) {
      Got<FeedUpdate> got = take(fed);
      if (got.end != null) {
        throw new AssertionError("feed ended: " + got.end);
      }
      lastFeed = got.message;
      if (lastFeed.getComplete()) {
        feed.clear();
      }
      lastFeed.getRemoveList().forEach(feed::remove);
      lastFeed.getPutList().forEach(entry -> feed.put(entry.getKey(), entry));
    }
    return lastFeed;
  }

  /** Says that the last feed update is applied, and waits for the answer. */
  Status beat() throws InterruptedException {
    Beat.Builder beat = Beat.newBuilder().setSessionId(sessionId).setNumber(1);
    if (lastFeed != null) {
      beat.setFeedEpoch(lastFeed.getEpoch()).setFeedRevision(lastFeed.getRevision());
    }
    beats.onNext(beat.build());
    Got<BeatReply> got = take(beaten);
    return got.end == null ? Status.OK : got.end;
  }

  void report(String taskId, TaskState... states) {
    UpdateTaskStatusRequest.Builder request = UpdateTaskStatusRequest.newBuilder().setSessionId(sessionId);
    for (TaskState state : states) {
      request.addUpdates(TaskStatusRow.newBuilder().setTaskId(taskId).setState(state));
    }
    calls.updateTaskStatus(request.build());
  }

  void report(NodeReport report) {
    calls.reportNode(report.toBuilder().setSessionId(sessionId).build());
  }

  LogSubscription awaitSubscription() throws InterruptedException {
    while (subscriptions.isEmpty()) {
      Got<SessionMessage> got = take(messages);
      if (got.end != null) {
        throw new AssertionError("the session ended: " + got.end);
      }
      subscriptions.addAll(got.message.getLogSubscriptionsList());
    }
    return subscriptions.removeFirst();
  }

  /** Opens a stream of log lines; how it ends goes to the queue. */
  StreamObserver<LogBatch> publish(BlockingQueue<Got<PublishLogsReply>> end) {
    return streams.publishLogs(into(end));
  }

  /** Its connection breaks. */
  void leave() {
    life.cancel(null);
  }

  @Override
  public void close() {
    life.cancel(null);
  }
}
