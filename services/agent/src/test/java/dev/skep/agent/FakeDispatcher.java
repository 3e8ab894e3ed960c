package dev.skep.agent;

import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.Beat;
import dev.skep.dispatcher.v1.BeatReply;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.dispatcher.v1.NetworkAssignment;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.dispatcher.v1.NodeReportReply;
import dev.skep.dispatcher.v1.PublishLogsReply;
import dev.skep.dispatcher.v1.SessionMessage;
import dev.skep.dispatcher.v1.SessionRef;
import dev.skep.dispatcher.v1.SessionRequest;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.dispatcher.v1.UpdateTaskStatusReply;
import dev.skep.dispatcher.v1.UpdateTaskStatusRequest;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** A dispatcher that a test plays: it assigns what it is told to and remembers what the node reports. */
final class FakeDispatcher extends DispatcherGrpc.DispatcherImplBase {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  final Map<String, TaskStatusRow> statuses = new ConcurrentSkipListMap<>();
  final List<String> history = new CopyOnWriteArrayList<>();
  final List<LogBatch> logs = new CopyOnWriteArrayList<>();
  final Map<String, TaskAssignment> tasks = new ConcurrentSkipListMap<>();
  final Map<String, NetworkAssignment> networks = new ConcurrentSkipListMap<>();
  final Map<String, FeedEntry> feed = new ConcurrentSkipListMap<>();
  volatile NodeReport report = NodeReport.getDefaultInstance();
  volatile Beat beat = Beat.getDefaultInstance();
  /** It says nothing about tasks before a test assigns some. */
  volatile boolean hesitates;
  volatile int assignmentStreams;
  volatile int feedStreams;
  private long revision;
  private ServerCallStreamObserver<SessionMessage> session;
  private StreamObserver<AssignmentsMessage> assignments;
  private StreamObserver<FeedUpdate> feeds;

  @Override
  public synchronized void session(SessionRequest request, StreamObserver<SessionMessage> observer) {
    report = request.getReport();
    session = silentOnceGivenUp(observer);
    observer.onNext(SessionMessage.newBuilder().setSessionId("s" + ++revision).setHeartbeatPeriodNanos(Duration.ofMillis(100).toNanos()).build());
    notifyAll();
  }

  @Override
  public StreamObserver<Beat> heartbeat(StreamObserver<BeatReply> replies) {
    silentOnceGivenUp(replies);
    return new StreamObserver<>() {
      @Override
      public void onNext(Beat next) {
        synchronized (FakeDispatcher.this) {
          beat = next;
          replies.onNext(BeatReply.newBuilder().setNumber(next.getNumber()).build());
          FakeDispatcher.this.notifyAll();
        }
      }

      @Override
      public void onError(Throwable error) {}

      @Override
      public void onCompleted() {}
    };
  }

  @Override
  public synchronized void assignments(SessionRef request, StreamObserver<AssignmentsMessage> observer) {
    assignments = silentOnceGivenUp(observer);
    assignmentStreams++;
    if (!hesitates) {
      observer.onNext(everything());
    }
    notifyAll();
  }

  private AssignmentsMessage everything() {
    return AssignmentsMessage.newBuilder()
        .setEpoch("e")
        .setRevision(++revision)
        .setComplete(true)
        .addAllPutTasks(tasks.values())
        .addAllPutNetworks(networks.values())
        .build();
  }

  @Override
  public synchronized void feed(SessionRef request, StreamObserver<FeedUpdate> observer) {
    feeds = silentOnceGivenUp(observer);
    feedStreams++;
    notifyAll();
    observer.onNext(FeedUpdate.newBuilder().setEpoch("e").setRevision(++revision).setComplete(true).addAllPut(feed.values()).build());
  }

  @Override
  public synchronized void updateTaskStatus(UpdateTaskStatusRequest request, StreamObserver<UpdateTaskStatusReply> observer) {
    for (TaskStatusRow row : request.getUpdatesList()) {
      statuses.put(row.getTaskId(), row);
      history.add(row.getTaskId() + " " + row.getState().name().substring(5) + " " + row.getMessage() + (row.getErr().isEmpty() ? "" : " (" + row.getErr() + ")"));
    }
    observer.onNext(UpdateTaskStatusReply.getDefaultInstance());
    observer.onCompleted();
    notifyAll();
  }

  @Override
  public synchronized void reportNode(NodeReport next, StreamObserver<NodeReportReply> observer) {
    report = next;
    observer.onNext(NodeReportReply.getDefaultInstance());
    observer.onCompleted();
    notifyAll();
  }

  @Override
  public StreamObserver<LogBatch> publishLogs(StreamObserver<PublishLogsReply> reply) {
    return new StreamObserver<>() {
      @Override
      public void onNext(LogBatch batch) {
        synchronized (FakeDispatcher.this) {
          logs.add(batch);
          FakeDispatcher.this.notifyAll();
        }
      }

      @Override
      public void onError(Throwable error) {}

      @Override
      public void onCompleted() {
        reply.onNext(PublishLogsReply.getDefaultInstance());
        reply.onCompleted();
      }
    };
  }

  /** What is said on a call that the node gave up, as on a slow machine, is lost like on any cut line: its next call hears it all. */
  private static <T> ServerCallStreamObserver<T> silentOnceGivenUp(StreamObserver<T> observer) {
    ServerCallStreamObserver<T> call = (ServerCallStreamObserver<T>) observer;
    call.setOnCancelHandler(() -> {});
    return call;
  }

  synchronized void subscribe(LogSubscription subscription) throws InterruptedException {
    await("a session", () -> !session.isCancelled());
    session.onNext(SessionMessage.newBuilder().addLogSubscriptions(subscription).build());
  }

  /** Sends all tasks and networks as they are in the maps now. */
  synchronized void assign() {
    if (assignments != null) {
      assignments.onNext(everything());
    }
  }

  synchronized void assign(TaskAssignment task) {
    tasks.put(task.getId(), task);
    assign();
  }

  synchronized void desire(String task, TaskState state) {
    tasks.computeIfPresent(task, (_, before) -> before.toBuilder().setDesired(state).build());
    assign();
  }

  /** Sends the feed as it is in the map now. Returns its revision. */
  synchronized long publish() {
    feeds.onNext(FeedUpdate.newBuilder().setEpoch("e").setRevision(++revision).setComplete(true).addAllPut(feed.values()).build());
    return revision;
  }

  synchronized void await(String what, BooleanSupplier wanted) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!wanted.getAsBoolean()) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        throw new AssertionError("not seen: " + what + "; history:\n" + String.join("\n", history) + "\nreport: " + report);
      }
      wait(Math.max(1, left / 1_000_000));
    }
  }

  /** For what tells nobody, as kernel and engine do not: asked anew whenever the node is heard of, and now and then when it is silent. */
  void awaitAsking(String what, Callable<Boolean> question) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!question.call()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not seen: " + what);
      }
      synchronized (this) {
        wait(250);
      }
    }
  }

  void awaitState(String task, TaskState state) throws InterruptedException {
    await(task + " " + state, () -> statuses.containsKey(task) && statuses.get(task).getState() == state);
  }
}
