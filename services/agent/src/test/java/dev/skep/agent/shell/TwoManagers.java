package dev.skep.agent.shell;

import dev.skep.dispatcher.v1.AssignmentsMessage;
import dev.skep.dispatcher.v1.Beat;
import dev.skep.dispatcher.v1.BeatReply;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.SessionMessage;
import dev.skep.dispatcher.v1.SessionRef;
import dev.skep.dispatcher.v1.SessionRequest;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.runtime.Host;
import dev.skep.testkit.TestHost;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;

/** A node's surroundings as a test plays them: two managers, the agent's thread, and timers that wait for the test. */
final class TwoManagers implements Executor, AutoCloseable {
  private final TestHost real = TestHost.start();
  private final Host host = (Host) Proxy.newProxyInstance(Host.class.getClassLoader(), new Class<?>[] {Host.class}, this::asked);
  private final Manager first = new Manager();
  private final Manager second = new Manager();
  private final Deque<Runnable> mailbox = new ArrayDeque<>();
  private final List<Timer> timers = new ArrayList<>();
  private Manager present = first;
  private int turns;

  private record Timer(Duration delay, Runnable body) {}

  /** One manager's dispatcher. */
  static final class Manager extends DispatcherGrpc.DispatcherImplBase {
    private static final long PERIOD = Duration.ofMillis(100).toNanos();
    private final Server server;
    private final ManagedChannel channel;
    private boolean takesSessions = true;
    private boolean answersBeats = true;
    private int sessions;
    private int beats;
    private StreamObserver<AssignmentsMessage> assignments;

    private Manager() throws IOException {
      String name = UUID.randomUUID().toString();
      server = InProcessServerBuilder.forName(name).directExecutor().addService(this).build().start();
      channel = InProcessChannelBuilder.forName(name).directExecutor().build();
    }

    void takesSessions(boolean does) {
      takesSessions = does;
    }

    void answersBeats(boolean does) {
      answersBeats = does;
    }

    int sessions() {
      return sessions;
    }

    int beats() {
      return beats;
    }

    void assign(AssignmentsMessage message) {
      assignments.onNext(message);
    }

    @Override
    public void session(SessionRequest request, StreamObserver<SessionMessage> messages) {
      if (takesSessions) {
        messages.onNext(SessionMessage.newBuilder().setSessionId("s" + ++sessions).setHeartbeatPeriodNanos(PERIOD).build());
      }
    }

    @Override
    public StreamObserver<Beat> heartbeat(StreamObserver<BeatReply> replies) {
      return new StreamObserver<>() {
        @Override
        public void onNext(Beat beat) {
          beats++;
          if (answersBeats) {
            replies.onNext(BeatReply.newBuilder().setNumber(beat.getNumber()).build());
          }
        }

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {}
      };
    }

    @Override
    public void assignments(SessionRef request, StreamObserver<AssignmentsMessage> messages) {
      assignments = messages;
    }

    @Override
    public void feed(SessionRef request, StreamObserver<FeedUpdate> messages) {}

    private void close() {
      channel.shutdownNow();
      server.shutdownNow();
    }
  }

  TwoManagers() throws IOException {}

  /** A real host, but for where its calls go and what its timers do. */
  Host host() {
    return host;
  }

  private Object asked(Object proxy, Method method, Object[] arguments) throws Throwable {
    return switch (method.getName()) {
      case "after" -> {
        Timer timer = new Timer((Duration) arguments[0], (Runnable) arguments[1]);
        timers.add(timer);
        yield (AutoCloseable) () -> timers.remove(timer);
      }
      case "channel" -> toPresent();
      case "managerSilent" -> {
        present = present == first ? second : first;
        turns++;
        yield true;
      }
      default -> {
        try {
          yield method.invoke(real, arguments);
        } catch (InvocationTargetException e) {
          throw e.getCause();
        }
      }
    };
  }

  private Channel toPresent() {
    return new Channel() {
      @Override
      public <A, B> ClientCall<A, B> newCall(MethodDescriptor<A, B> call, CallOptions options) {
        return present.channel.newCall(call, options);
      }

      @Override
      public String authority() {
        return "present";
      }
    };
  }

  Manager first() {
    return first;
  }

  Manager second() {
    return second;
  }

  Manager present() {
    return present;
  }

  /** How often the node went on to the next manager. */
  int turns() {
    return turns;
  }

  @Override
  public void execute(Runnable work) {
    mailbox.add(work);
  }

  /** Until nothing is left to do for the agent's thread. */
  void settle() {
    while (!mailbox.isEmpty()) {
      mailbox.removeFirst().run();
    }
  }

  int waiting() {
    return timers.size();
  }

  /** The timers that run for so long. */
  void goOff(String delay) {
    List<Timer> due = timers.stream().filter(timer -> timer.delay.equals(Duration.parse(delay))).toList();
    due.forEach(this::goOff);
  }

  void goOffAll() {
    List.copyOf(timers).forEach(this::goOff);
  }

  void goOffFirst() {
    goOff(timers.getFirst());
  }

  void goOffLast() {
    goOff(timers.getLast());
  }

  private void goOff(Timer timer) {
    timers.remove(timer);
    timer.body.run();
    settle();
  }

  @Override
  public void close() {
    first.close();
    second.close();
    real.close();
  }
}
