package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.dispatcher.core.Pause;
import dev.skep.dispatcher.core.Registration;
import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.core.StatusRules;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.Beat;
import dev.skep.dispatcher.v1.BeatReply;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.LeaveReply;
import dev.skep.dispatcher.v1.LeaveRequest;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.dispatcher.v1.NodeReportReply;
import dev.skep.dispatcher.v1.PauseReply;
import dev.skep.dispatcher.v1.PauseRequest;
import dev.skep.dispatcher.v1.PublishLogsReply;
import dev.skep.dispatcher.v1.ReadyReply;
import dev.skep.dispatcher.v1.ReadyRequest;
import dev.skep.dispatcher.v1.SessionMessage;
import dev.skep.dispatcher.v1.SessionRef;
import dev.skep.dispatcher.v1.SessionRequest;
import dev.skep.dispatcher.v1.UpdateTaskStatusReply;
import dev.skep.dispatcher.v1.UpdateTaskStatusRequest;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.runtime.Host;
import dev.skep.runtime.grpc.Callers;
import dev.skep.runtime.grpc.NodeCaller;
import dev.skep.runtime.identity.Caller;
import dev.skep.state.ChangeSet;
import dev.skep.state.ClusterState;
import dev.skep.state.Rows;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** The calls of nodes. Handlers run on virtual threads and may wait; what they find goes to the dispatcher's thread. */
final class DispatcherRpc extends DispatcherGrpc.DispatcherImplBase {
  private static final String LOST = "this dispatcher has lost the store";
  private static final Duration READY = Duration.ofSeconds(1); // whoever asks, asks others, too

  private final Host host;
  private final DispatcherConfig config;
  private final PeerRow own;
  private final Desk desk;
  private final Sessions sessions;
  private final Committer committer;
  private final DispatcherMetrics metrics;

  /** @param own this dispatcher, as its sessions name it */
  DispatcherRpc(
      Host host, DispatcherConfig config, PeerRow own, Desk desk, Sessions sessions, Committer committer,
      DispatcherMetrics metrics) {
    this.host = host;
    this.config = config;
    this.own = own;
    this.desk = desk;
    this.sessions = sessions;
    this.committer = committer;
    this.metrics = metrics;
  }

  @Override
  public void session(SessionRequest request, StreamObserver<SessionMessage> responses) {
    SessionKey key = new SessionKey(NodeCaller.current(), host.ids().next());
    boolean inProcess = Callers.current().filter(caller -> caller instanceof Caller.InProcess).isPresent();
    ServerCallStreamObserver<SessionMessage> observer = (ServerCallStreamObserver<SessionMessage>) responses;
    observer.setOnReadyHandler(() -> desk.run(() -> {}));
    observer.setOnCancelHandler(() -> desk.run(() -> sessions.find(key.nodeId(), key.sessionId())
        .ifPresent(session -> sessions.close(session, Status.CANCELLED, host.clock().instant()))));
    try {
      if (own.lost()) {
        desk.run(() -> sessions.registering(key.nodeId(), host.clock().instant())); // it lives
        throw Committer.unavailable(LOST);
      }
      if (!admitted(key.nodeId())) {
        metrics.registrationsRefused().inc();
        throw Committer.unavailable("node " + key.nodeId() + " registers too often: come back later");
      }
      host.view().fresh(config.storePatience()); // a node that was created a moment ago is known
      await(own.there());
      long revision = written(state -> registration(state, key, request.getReport()));
      host.view().await(revision, config.storePatience());
      desk.run(() -> {
        NodeSession session = new NodeSession(key, inProcess, revision, observer);
        sessions.open(session, host.clock().instant());
        if (observer.isCancelled()) {
          sessions.close(session, Status.CANCELLED, host.clock().instant());
        }
      });
    } catch (RuntimeException e) {
      observer.onError(Failures.status(e).asRuntimeException());
    }
  }

  private boolean admitted(String nodeId) {
    CompletableFuture<Boolean> admitted = new CompletableFuture<>();
    desk.run(() -> {
      boolean may = sessions.admit(nodeId, host.clock().instant());
      sessions.registering(nodeId, host.clock().instant()); // a node that knocks too often lives, too
      admitted.complete(may);
    });
    return await(admitted);
  }

  private Proposal.Plan registration(ClusterState state, SessionKey key, NodeReport report) {
    if (Registration.left(state, key.nodeId())) {
      return new Proposal.Plan.Refuse(Status.PERMISSION_DENIED.withDescription("node " + key.nodeId() + " has left the cluster"));
    }
    return Registration.open(state, key, own.row(), report, host.clock().instant())
        .<Proposal.Plan>map(change -> new Proposal.Plan.Write(List.of(change)))
        .orElseGet(() -> new Proposal.Plan.Refuse(Status.NOT_FOUND.withDescription("the cluster has no node " + key.nodeId())));
  }

  @Override
  public StreamObserver<Beat> heartbeat(StreamObserver<BeatReply> replies) {
    return new Heartbeats(NodeCaller.current(), replies);
  }

  private final class Heartbeats implements StreamObserver<Beat> {
    private final String nodeId;
    private final StreamObserver<BeatReply> replies;
    private boolean ended;

    private Heartbeats(String nodeId, StreamObserver<BeatReply> replies) {
      this.nodeId = nodeId;
      this.replies = replies;
    }

    @Override
    public void onNext(Beat beat) {
      if (ended) {
        return;
      }
      Optional<NodeSession> session = sessions.find(nodeId, beat.getSessionId());
      if (session.isEmpty()) {
        ended = true;
        replies.onError(Sessions.OVER.asRuntimeException());
        return;
      }
      metrics.heartbeats().inc();
      desk.run(() -> sessions.beat(session.get(), beat, host.clock().instant()));
      long period = session.get().beat(host.view().state()).toNanos();
      replies.onNext(BeatReply.newBuilder().setNumber(beat.getNumber()).setPeriodNanos(period).setStoreLost(own.lost()).build());
    }

    @Override
    public void onError(Throwable failure) {
      ended = true; // the node went away: its silence is judged
    }

    @Override
    public void onCompleted() {
      if (!ended) {
        ended = true;
        replies.onCompleted();
      }
    }
  }

  @Override
  public void assignments(SessionRef request, StreamObserver<AssignmentsMessage> responses) {
    stream(request, (ServerCallStreamObserver<AssignmentsMessage>) responses, NodeSession::openAssignments);
  }

  @Override
  public void feed(SessionRef request, StreamObserver<FeedUpdate> responses) {
    stream(request, (ServerCallStreamObserver<FeedUpdate>) responses, NodeSession::openFeed);
  }

  /** How a session takes one of its streams; {@code from}: nothing older than this revision is sent. */
  private interface Opening<T> {
    void open(NodeSession session, ServerCallStreamObserver<T> observer, long from);
  }

  private <T> void stream(SessionRef request, ServerCallStreamObserver<T> observer, Opening<T> opening) {
    String nodeId = NodeCaller.current();
    observer.setOnReadyHandler(() -> desk.run(() -> {}));
    observer.setOnCancelHandler(() -> {}); // set, so that a stream that is gone does not throw where it is written to
    try {
      long from = host.view().fresh(config.storePatience()).revision();
      desk.run(() -> {
        Optional<NodeSession> session = sessions.find(nodeId, request.getSessionId());
        if (session.isPresent()) {
          opening.open(session.get(), observer, from);
        } else {
          observer.onError(Sessions.OVER.asRuntimeException());
        }
      });
    } catch (RuntimeException e) {
      observer.onError(Failures.status(e).asRuntimeException());
    }
  }

  @Override
  public void updateTaskStatus(UpdateTaskStatusRequest request, StreamObserver<UpdateTaskStatusReply> reply) {
    SessionKey key = new SessionKey(NodeCaller.current(), request.getSessionId());
    long begun = System.nanoTime();
    try {
      known(key);
      metrics.statusUpdates().inc(request.getUpdatesCount());
      written(state -> switch (StatusRules.judge(state, key, request.getUpdatesList(), host.clock().instant())) {
        case StatusRules.Verdict.Accepted accepted -> new Proposal.Plan.Write(accepted.changes());
        case StatusRules.Verdict.SessionOver _ -> new Proposal.Plan.Refuse(Sessions.OVER);
        case StatusRules.Verdict.Denied denied ->
            new Proposal.Plan.Refuse(Status.PERMISSION_DENIED.withDescription("task " + denied.taskId() + " is not a task of this node"));
      });
      metrics.reportToStored().observe((System.nanoTime() - begun) / 1e9);
      reply.onNext(UpdateTaskStatusReply.getDefaultInstance());
      reply.onCompleted();
    } catch (RuntimeException e) {
      reply.onError(Failures.status(e).asRuntimeException());
    }
  }

  @Override
  public void reportNode(NodeReport request, StreamObserver<NodeReportReply> reply) {
    SessionKey key = new SessionKey(NodeCaller.current(), request.getSessionId());
    try {
      known(key);
      written(state -> {
        if (!key.open(state)) {
          return new Proposal.Plan.Refuse(Sessions.OVER);
        }
        Optional<ChangeSet> change = Registration.report(state, key, request, host.clock().instant());
        return new Proposal.Plan.Write(change.map(List::of).orElse(List.of()));
      });
      reply.onNext(NodeReportReply.getDefaultInstance());
      reply.onCompleted();
    } catch (RuntimeException e) {
      reply.onError(Failures.status(e).asRuntimeException());
    }
  }

  @Override
  public void ready(ReadyRequest request, StreamObserver<ReadyReply> reply) {
    try {
      if (own.lost() || !host.view().fresh(READY).has(Rows.NODE_SPEC.key(NodeCaller.current()))) {
        throw Committer.unavailable(own.lost() ? LOST : "the cluster has no node " + NodeCaller.current());
      }
      reply.onNext(ReadyReply.getDefaultInstance());
      reply.onCompleted();
    } catch (RuntimeException e) {
      reply.onError(Failures.status(e).asRuntimeException());
    }
  }

  @Override
  public void pause(PauseRequest request, StreamObserver<PauseReply> reply) {
    SessionKey key = new SessionKey(NodeCaller.current(), request.getSessionId());
    try {
      known(key);
      written(state -> Pause.promised(state, key, Duration.ofNanos(request.getBackWithinNanos()), host.clock().instant())
          .<Proposal.Plan>map(change -> new Proposal.Plan.Write(List.of(change)))
          .orElseGet(() -> new Proposal.Plan.Refuse(Sessions.OVER)));
      reply.onNext(PauseReply.getDefaultInstance());
      reply.onCompleted();
    } catch (RuntimeException e) {
      reply.onError(Failures.status(e).asRuntimeException());
    }
  }

  @Override
  public void leave(LeaveRequest request, StreamObserver<LeaveReply> reply) {
    String nodeId = NodeCaller.current();
    try {
      written(state -> new Proposal.Plan.Write(Registration.leave(state, nodeId, host.clock().instant()).map(List::of).orElse(List.of())));
      reply.onNext(LeaveReply.getDefaultInstance());
      reply.onCompleted();
    } catch (RuntimeException e) {
      reply.onError(Failures.status(e).asRuntimeException());
    }
  }

  @Override
  public StreamObserver<LogBatch> publishLogs(StreamObserver<PublishLogsReply> reply) {
    return new Publication(NodeCaller.current(), desk, sessions, reply);
  }

  private void known(SessionKey key) {
    if (sessions.find(key.nodeId(), key.sessionId()).isEmpty()) {
      throw Sessions.OVER.asRuntimeException();
    }
  }

  /** Returns the revision at which it is durable. */
  private long written(Function<ClusterState, Proposal.Plan> plan) {
    return await(committer.submit(Proposal.of(plan)));
  }

  private <T> T await(CompletableFuture<T> future) {
    try {
      return future.get(config.storePatience().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw Committer.unavailable("the store does not answer");
    } catch (ExecutionException e) {
      throw new CompletionException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Committer.unavailable("the dispatcher stops");
    }
  }
}
