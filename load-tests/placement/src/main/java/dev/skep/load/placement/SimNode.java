package dev.skep.load.placement;

import dev.skep.api.v1.NodeDescription;
import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.Beat;
import dev.skep.dispatcher.v1.BeatReply;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.dispatcher.v1.SessionMessage;
import dev.skep.dispatcher.v1.SessionRef;
import dev.skep.dispatcher.v1.SessionRequest;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.dispatcher.v1.UpdateTaskStatusRequest;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.runtime.grpc.NodeCaller;
import dev.skep.state.v1.TaskState;
import dev.skep.state.v1.TaskStatusRow;
import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * A node without an engine: a session, heartbeats, both streams, and the reports that an agent sends whose containers
 * take {@link #STEP} for each of their steps. What comes while a report is under way goes with the next one, as in the agent.
 */
final class SimNode implements AutoCloseable {
  private static final long STEP = 50_000_000; // nanoseconds
  private static final List<TaskState> UP = List.of(TaskState.TASK_PREPARING, TaskState.TASK_STARTING, TaskState.TASK_RUNNING);

  private final String id;
  private final boolean reports;
  private final DispatcherGrpc.DispatcherBlockingStub calls;
  private final DispatcherGrpc.DispatcherStub streams;
  private final BlockingQueue<AssignmentsMessage> assigned = new LinkedBlockingQueue<>();
  private final CountDownLatch open = new CountDownLatch(1);
  private final Map<String, Integer> steps = new HashMap<>(); // of tasks that are on their way up
  private final Map<String, TaskState> last = new HashMap<>(); // what was reported of each task
  private final Set<String> networks = new TreeSet<>();
  private Set<String> reported = Set.of(); // of the networks
  private volatile String session = "";
  private volatile StreamObserver<Beat> beats;
  private volatile FeedUpdate applied = FeedUpdate.getDefaultInstance();
  private final ReentrantLock sending = new ReentrantLock();
  private volatile long period = 500_000_000;
  private volatile boolean closed;
  private long number; // of the last beat; guarded by the lock

  SimNode(Channel dispatcher, String id, boolean reports) {
    this.id = id;
    this.reports = reports;
    Channel channel = NodeCaller.channel(dispatcher, id);
    this.calls = DispatcherGrpc.newBlockingStub(channel);
    this.streams = DispatcherGrpc.newStub(channel);
  }

  /** Registers; returns when the session is open. */
  void open() throws InterruptedException {
    streams.session(SessionRequest.newBuilder().setReport(report()).build(), each(this::message));
    if (!open.await(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException("no session for " + id);
    }
    streams.assignments(ref(), each(assigned::add));
    streams.feed(ref(), each(this::fed));
    Thread.ofVirtual().name("beats-" + id).start(this::beatOn);
    Thread.ofVirtual().name("tasks-" + id).start(this::work);
  }

  private void message(SessionMessage message) {
    if (session.isEmpty()) {
      session = message.getSessionId();
      period = message.getHeartbeatPeriodNanos();
      beats = streams.heartbeat(each((BeatReply reply) -> period = reply.getPeriodNanos()));
      open.countDown();
    }
  }

  private SessionRef ref() {
    return SessionRef.newBuilder().setSessionId(session).build();
  }

  private void fed(FeedUpdate update) {
    applied = update;
    beat();
  }

  private void beatOn() {
    try {
      while (!closed) {
        beat();
        TimeUnit.NANOSECONDS.sleep(period);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void beat() {
    FeedUpdate feed = applied;
    sending.lock();
    try {
      if (!closed) {
        beats.onNext(Beat.newBuilder().setSessionId(session).setNumber(++number).setFeedEpoch(feed.getEpoch()).setFeedRevision(feed.getRevision()).build());
      }
    } catch (IllegalStateException e) {
      closed = true; // the stream ended
    } finally {
      sending.unlock();
    }
  }

  private void work() {
    try {
      while (!closed) {
        AssignmentsMessage message = steps.isEmpty() ? assigned.take() : assigned.poll(STEP, TimeUnit.NANOSECONDS);
        UpdateTaskStatusRequest.Builder request = UpdateTaskStatusRequest.newBuilder().setSessionId(session);
        if (message == null) {
          step(request);
        }
        for (; message != null; message = assigned.poll()) {
          apply(message, request);
        }
        if (!networks.equals(reported)) {
          reported = new TreeSet<>(networks);
          calls.reportNode(report().setSessionId(session).addAllNetworkIds(networks).build());
        }
        if (request.getUpdatesCount() > 0) {
          calls.updateTaskStatus(request.build());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      if (!closed) {
        throw e;
      }
    }
  }

  private NodeReport.Builder report() {
    return NodeReport.newBuilder().setAdvertiseAddr("192.0.2.1").setDescription(NodeDescription.newBuilder().setHostname(id));
  }

  private void apply(AssignmentsMessage message, UpdateTaskStatusRequest.Builder request) {
    message.getPutNetworksList().forEach(network -> networks.add(network.getId()));
    networks.removeAll(message.getRemoveNetworksList());
    for (TaskAssignment task : message.getPutTasksList()) {
      if (task.getDesiredValue() >= TaskState.TASK_SHUTDOWN_VALUE) {
        steps.remove(task.getId());
        report(task.getId(), TaskState.TASK_SHUTDOWN, request);
      } else if (last.putIfAbsent(task.getId(), TaskState.TASK_ASSIGNED) == null && reports) {
        steps.put(task.getId(), 1);
        report(task.getId(), UP.getFirst(), request);
      }
    }
    message.getRemoveTasksList().forEach(task -> {
      steps.remove(task);
      last.remove(task);
    });
  }

  private void step(UpdateTaskStatusRequest.Builder request) {
    steps.replaceAll((task, next) -> {
      report(task, UP.get(next), request);
      return next + 1;
    });
    steps.values().removeIf(next -> next == UP.size());
  }

  private void report(String task, TaskState state, UpdateTaskStatusRequest.Builder request) {
    if (last.put(task, state) != state) {
      TaskStatusRow.Builder row = TaskStatusRow.newBuilder().setTaskId(task).setState(state).setMessage(state.name().substring(5).toLowerCase(Locale.ROOT));
      if (state == TaskState.TASK_STARTING || state == TaskState.TASK_RUNNING || state == TaskState.TASK_SHUTDOWN) {
        row.getContainerBuilder().setContainerId((task + task + task).substring(0, 64)).setPid(4711);
      }
      request.addUpdates(row);
    }
  }

  private <T> StreamObserver<T> each(Consumer<T> consumer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T message) {
        consumer.accept(message);
      }

      @Override
      public void onError(Throwable failure) {
        if (!closed) {
          System.err.println("node " + id + ": a stream ended: " + failure);
        }
      }

      @Override
      public void onCompleted() {}
    };
  }

  @Override
  public void close() {
    closed = true;
  }
}
