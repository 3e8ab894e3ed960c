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
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A node without an engine: a session, heartbeats, both streams, and the reports that an agent sends whose containers
 * take {@link #STEP} for each of their steps. What comes while a report is under way goes with the next one, and what
 * was not taken goes with the next session, as in the agent.
 */
final class SimNode implements AutoCloseable {
  private static final long STEP = 50_000_000; // nanoseconds
  private static final long PAUSE_MILLIS = 200;
  private static final List<TaskState> UP = List.of(TaskState.TASK_PREPARING, TaskState.TASK_STARTING, TaskState.TASK_RUNNING);

  private final String id;
  private final boolean reports;
  private final DispatcherGrpc.DispatcherBlockingStub calls;
  private final DispatcherGrpc.DispatcherStub streams;
  private final CountDownLatch open = new CountDownLatch(1);
  private final Map<String, Integer> steps = new HashMap<>(); // of tasks that are on their way up
  private final Map<String, TaskState> last = new HashMap<>(); // what each task is
  private final Map<String, TaskStatusRow> unsaid = new LinkedHashMap<>(); // by task: what no dispatcher has taken yet
  private final Set<String> networks = new TreeSet<>();
  private volatile boolean closed;

  SimNode(Channel dispatcher, String id, boolean reports) {
    this.id = id;
    this.reports = reports;
    Channel channel = NodeCaller.channel(dispatcher, id);
    this.calls = DispatcherGrpc.newBlockingStub(channel);
    this.streams = DispatcherGrpc.newStub(channel);
  }

  /** Returns when its first session is open. */
  void open() throws InterruptedException {
    Thread.ofVirtual().name("node-" + id).start(this::live);
    if (!open.await(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException("no session for " + id);
    }
  }

  private void live() {
    try {
      while (!closed) {
        try (Session session = new Session()) {
          session.work();
        } catch (StatusRuntimeException | SessionOver e) {
          if (!closed) {
            System.out.println("node " + id + " opens another session: " + e.getMessage());
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A stream of the session has ended. */
  private static final class SessionOver extends Exception {
    private static final long serialVersionUID = 1;

    SessionOver(String why) {
      super(why);
    }
  }

  /** One session with the dispatcher, from its opening to the end of any of its streams. */
  private final class Session implements AutoCloseable {
    private final BlockingQueue<AssignmentsMessage> assigned = new LinkedBlockingQueue<>();
    private final AtomicReference<String> over = new AtomicReference<>();
    private final ReentrantLock sending = new ReentrantLock();
    private Set<String> reported = Set.of(); // of the networks
    private volatile String id = "";
    private volatile StreamObserver<Beat> beats;
    private volatile FeedUpdate applied = FeedUpdate.getDefaultInstance();
    private volatile long period = 500_000_000;
    private long number; // of the last beat; guarded by the lock

    Session() {
      streams.session(SessionRequest.newBuilder().setReport(report()).build(), each(this::message));
    }

    private void message(SessionMessage message) {
      if (id.isEmpty()) {
        id = message.getSessionId();
        period = message.getHeartbeatPeriodNanos();
        beats = streams.heartbeat(each((BeatReply reply) -> period = reply.getPeriodNanos()));
        SessionRef ref = SessionRef.newBuilder().setSessionId(id).build();
        streams.assignments(ref, each(assigned::add));
        streams.feed(ref, each(this::fed));
        Thread.ofVirtual().name("beats-" + SimNode.this.id).start(this::beatOn);
        open.countDown();
      }
    }

    private void fed(FeedUpdate update) {
      applied = update;
      beat();
    }

    private void beatOn() {
      try {
        while (over.get() == null) {
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
        if (over.get() == null) {
          beats.onNext(Beat.newBuilder().setSessionId(id).setNumber(++number).setFeedEpoch(feed.getEpoch()).setFeedRevision(feed.getRevision()).build());
        }
      } catch (IllegalStateException e) {
        end("no more beats: " + e.getMessage());
      } finally {
        sending.unlock();
      }
    }

    void work() throws InterruptedException, SessionOver {
      while (over.get() == null) {
        AssignmentsMessage message = steps.isEmpty() && unsaid.isEmpty() ? assigned.take() : assigned.poll(STEP, TimeUnit.NANOSECONDS);
        if (message == null) {
          step();
        }
        for (; message != null; message = assigned.poll()) {
          apply(message);
        }
        if (over.get() == null && !id.isEmpty()) {
          say(id);
        }
      }
      throw new SessionOver(over.get());
    }

    private void say(String session) {
      if (!networks.equals(reported)) {
        calls.reportNode(report().setSessionId(session).addAllNetworkIds(networks).build());
        reported = new TreeSet<>(networks);
      }
      if (!unsaid.isEmpty()) {
        calls.updateTaskStatus(UpdateTaskStatusRequest.newBuilder().setSessionId(session).addAllUpdates(unsaid.values()).build());
        unsaid.clear();
      }
    }

    private void end(String why) {
      over.compareAndSet(null, why);
      assigned.add(AssignmentsMessage.getDefaultInstance()); // whoever waits for more looks up
    }

    private <T> StreamObserver<T> each(Consumer<T> consumer) {
      return new StreamObserver<>() {
        @Override
        public void onNext(T message) {
          consumer.accept(message);
        }

        @Override
        public void onError(Throwable failure) {
          end(String.valueOf(failure.getMessage()));
        }

        @Override
        public void onCompleted() {
          end("the dispatcher ended it");
        }
      };
    }

    @Override
    public void close() {
      end("over");
      sending.lock();
      try {
        if (beats != null) {
          beats.onCompleted();
        }
      } catch (IllegalStateException e) {
        // the dispatcher ended it before
      } finally {
        sending.unlock();
      }
    }
  }

  private NodeReport.Builder report() {
    return NodeReport.newBuilder().setAdvertiseAddr("192.0.2.1").setDescription(NodeDescription.newBuilder().setHostname(id));
  }

  private void apply(AssignmentsMessage message) {
    if (message.getComplete()) {
      Set<String> tasks = message.getPutTasksList().stream().map(TaskAssignment::getId).collect(Collectors.toSet());
      List.copyOf(last.keySet()).stream().filter(task -> !tasks.contains(task)).forEach(this::forget);
      networks.clear();
    }
    message.getPutNetworksList().forEach(network -> networks.add(network.getId()));
    networks.removeAll(message.getRemoveNetworksList());
    for (TaskAssignment task : message.getPutTasksList()) {
      if (task.getDesiredValue() >= TaskState.TASK_SHUTDOWN_VALUE) {
        steps.remove(task.getId());
        become(task.getId(), TaskState.TASK_SHUTDOWN);
      } else if (last.putIfAbsent(task.getId(), TaskState.TASK_ASSIGNED) == null && reports) {
        steps.put(task.getId(), 1);
        become(task.getId(), UP.getFirst());
      }
    }
    message.getRemoveTasksList().forEach(this::forget);
  }

  private void forget(String task) {
    steps.remove(task);
    last.remove(task);
    unsaid.remove(task);
  }

  private void step() {
    steps.replaceAll((task, next) -> {
      become(task, UP.get(next));
      return next + 1;
    });
    steps.values().removeIf(next -> next == UP.size());
  }

  private void become(String task, TaskState state) {
    if (last.put(task, state) != state) {
      TaskStatusRow.Builder row = TaskStatusRow.newBuilder().setTaskId(task).setState(state).setMessage(state.name().substring(5).toLowerCase(Locale.ROOT));
      if (state == TaskState.TASK_STARTING || state == TaskState.TASK_RUNNING || state == TaskState.TASK_SHUTDOWN) {
        row.getContainerBuilder().setContainerId((task + task + task).substring(0, 64)).setPid(4711);
      }
      unsaid.put(task, row.build());
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
