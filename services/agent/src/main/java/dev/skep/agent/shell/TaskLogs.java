package dev.skep.agent.shell;

import com.github.dockerjava.transport.DockerHttpClient.Request.Method;
import com.github.dockerjava.transport.DockerHttpClient.Response;
import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import dev.skep.dispatcher.v1.DispatcherGrpc;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogLine;
import dev.skep.dispatcher.v1.LogOptions;
import dev.skep.dispatcher.v1.LogProblem;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.dispatcher.v1.PublishLogsReply;
import dev.skep.dispatcher.v1.TaskAssignment;
import dev.skep.runtime.Host;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Log lines of this node's containers, for those who asked. A slow reader holds up its own containers' reading only. */
final class TaskLogs {
  private static final Logger LOG = LoggerFactory.getLogger(TaskLogs.class);
  private static final int QUEUE = 1000;
  private static final int BATCH_LINES = 200;
  private static final int BATCH_BYTES = 1 << 20;
  /** The engine cuts longer lines itself. */
  private static final int LONGEST_FRAME = 1 << 20;
  private static final Duration IDLE = Duration.ofMillis(200);

  private final Engine engine;
  private final Host host;
  private final String nodeId;
  private final Function<String, Optional<TaskAssignment>> tasks;
  private final Map<String, Reader> readers = new HashMap<>(); // the agent's thread only

  TaskLogs(Engine engine, Host host, String nodeId, Function<String, Optional<TaskAssignment>> tasks) {
    this.engine = engine;
    this.host = host;
    this.nodeId = nodeId;
    this.tasks = tasks;
  }

  /** On the agent's thread. */
  void handle(LogSubscription subscription, DispatcherGrpc.DispatcherStub stub) {
    readers.values().removeIf(reader -> reader.closed);
    Reader reader = readers.get(subscription.getId());
    if (subscription.getClose()) {
      if (reader != null) {
        readers.remove(subscription.getId());
        reader.close();
      }
      return;
    }
    if (reader == null) {
      reader = new Reader(subscription.getId(), subscription.getOptions());
      readers.put(subscription.getId(), reader);
      reader.start(stub);
    }
    for (String id : subscription.getTaskIdsList()) {
      reader.add(id, tasks.apply(id));
    }
    reader.opened();
  }

  void close() {
    readers.values().forEach(Reader::close);
    readers.clear();
  }

  private sealed interface Item {
    record Line(LogLine line) implements Item {}

    record Problem(LogProblem problem) implements Item {}

    record Ended() implements Item {}
  }

  private final class Reader {
    private final String id;
    private final LogOptions options;
    private final BlockingQueue<Item> queue = new ArrayBlockingQueue<>(QUEUE);
    private final Set<String> known = new HashSet<>();
    private final Set<Thread> threads = java.util.concurrent.ConcurrentHashMap.newKeySet();
    /** Readings under way, and one for the opening itself. */
    private final AtomicInteger open = new AtomicInteger(1);
    private boolean begun;
    private volatile boolean closed;

    Reader(String id, LogOptions options) {
      this.id = id;
      this.options = options;
    }

    void start(DispatcherGrpc.DispatcherStub stub) {
      threads.add(host.blocking("agent-logs-publish", () -> publish(stub)));
    }

    void add(String taskId, Optional<TaskAssignment> task) {
      if (!known.add(taskId)) {
        return;
      }
      open.incrementAndGet();
      threads.add(host.blocking("agent-logs-read", () -> read(taskId, task)));
    }

    void opened() {
      if (!begun) {
        begun = true;
        threads.add(host.blocking("agent-logs-opened", this::leave));
      }
    }

    void close() {
      closed = true;
      threads.forEach(Thread::interrupt);
    }

    private void leave() {
      try {
        queue.put(new Item.Ended());
      } catch (InterruptedException e) {
        // closed
      }
    }

    private void read(String taskId, Optional<TaskAssignment> task) {
      try {
        if (task.isEmpty()) {
          queue.put(problem(taskId, "task " + taskId + " is not on this node"));
        } else {
          follow(task.get());
        }
      } catch (EngineException e) {
        if (!closed) {
          queue.offer(problem(taskId, e.getMessage()));
        }
      } catch (InterruptedException e) {
        return;
      }
      leave();
    }

    private Item problem(String taskId, String reason) {
      return new Item.Problem(LogProblem.newBuilder().setTaskId(taskId).setReason(reason).build());
    }

    private void follow(TaskAssignment task) throws EngineException, InterruptedException {
      Timestamp from = options.getSince();
      String since = options.hasSince() ? String.format("&since=%d.%09d", from.getSeconds(), from.getNanos()) : "";
      String tail = options.getTail() < 0 ? "all" : Long.toString(options.getTail());
      String streams = "?stdout=" + options.getStdout() + "&stderr=" + options.getStderr();
      String query = streams + "&timestamps=1&tail=" + tail + "&follow=" + options.getFollow();
      try (Response response = engine.open(Method.GET, Containers.address(task) + "/logs" + query + since, Map.of(), null);
          DataInputStream in = new DataInputStream(new java.io.BufferedInputStream(response.getBody()))) {
        if (task.getSpec().getContainerSpec().getTty()) {
          raw(task, in);
        } else {
          frames(task, in);
        }
      } catch (EOFException e) {
        // the end
      } catch (IOException | RuntimeException e) {
        if (!closed && !Thread.currentThread().isInterrupted()) {
          throw new EngineException.Unreachable("the log broke off: " + e, e);
        }
      }
    }

    private void frames(TaskAssignment task, DataInputStream in) throws IOException, InterruptedException {
      while (!closed) {
        int stream = in.readInt() >>> 24;
        int length = in.readInt();
        if (length < 0 || length > LONGEST_FRAME) {
          throw new IOException("a frame of " + length + " bytes");
        }
        queue.put(line(task, stream == 2, in.readNBytes(length)));
      }
    }

    private void raw(TaskAssignment task, DataInputStream in) throws IOException, InterruptedException {
      var bytes = new java.io.ByteArrayOutputStream();
      for (int b = in.read(); b >= 0 && !closed; b = in.read()) {
        bytes.write(b);
        if (b == '\n' || bytes.size() >= LONGEST_FRAME) {
          queue.put(line(task, false, bytes.toByteArray()));
          bytes.reset();
        }
      }
      if (bytes.size() > 0) {
        queue.put(line(task, false, bytes.toByteArray()));
      }
    }

    /** A line begins with its time. */
    private Item line(TaskAssignment task, boolean stderr, byte[] bytes) {
      LogLine.Builder line =
          LogLine.newBuilder().setServiceId(task.getServiceId()).setNodeId(nodeId).setTaskId(task.getId()).setStderr(stderr);
      int space = 0;
      while (space < bytes.length && space < 40 && bytes[space] != ' ') {
        space++;
      }
      int from = 0;
      try {
        Instant at = Instant.parse(new String(bytes, 0, space, java.nio.charset.StandardCharsets.US_ASCII));
        line.setTimestamp(Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()));
        from = Math.min(space + 1, bytes.length);
      } catch (DateTimeParseException e) {
        from = 0;
      }
      return new Item.Line(line.setData(ByteString.copyFrom(bytes, from, bytes.length - from)).build());
    }

    private void publish(DispatcherGrpc.DispatcherStub stub) {
      BlockingQueue<Boolean> ready = new ArrayBlockingQueue<>(1);
      Publisher publisher = new Publisher(ready);
      stub.publishLogs(publisher);
      try {
        // The first batch tells whose stream this is, also when nothing is ever logged.
        LogBatch.Builder batch = LogBatch.newBuilder().setSubscriptionId(id);
        boolean first = true;
        while (!closed) {
          int bytes = 0;
          Item item = queue.poll(IDLE.toMillis(), TimeUnit.MILLISECONDS);
          while (item != null) {
            bytes += take(batch, item);
            item = bytes < BATCH_BYTES && batch.getLinesCount() < BATCH_LINES ? queue.poll() : null;
          }
          boolean end = open.get() == 0 && !options.getFollow(); // a follower waits for tasks to come
          if (first || end || batch.getLinesCount() > 0 || batch.getProblemsCount() > 0) {
            publisher.await();
            publisher.calls.onNext(batch.setEnd(end).build());
            batch = LogBatch.newBuilder().setSubscriptionId(id);
            first = false;
          }
          if (end) {
            closed = true;
            publisher.calls.onCompleted();
          }
        }
      } catch (InterruptedException e) {
        publisher.calls.cancel("the reader is gone", null);
      }
      close();
    }

    private int take(LogBatch.Builder batch, Item item) {
      return switch (item) {
        case Item.Line(LogLine line) -> {
          batch.addLines(line);
          yield line.getData().size();
        }
        case Item.Problem(LogProblem problem) -> {
          batch.addProblems(problem);
          yield 0;
        }
        case Item.Ended() -> {
          open.decrementAndGet();
          yield 0;
        }
      };
    }

    /** Waits for the stream to take more, so that nothing piles up in front of a slow reader. */
    private final class Publisher implements ClientResponseObserver<LogBatch, PublishLogsReply> {
      private final BlockingQueue<Boolean> ready;
      private ClientCallStreamObserver<LogBatch> calls;

      Publisher(BlockingQueue<Boolean> ready) {
        this.ready = ready;
      }

      @Override
      public void beforeStart(ClientCallStreamObserver<LogBatch> stream) {
        calls = stream;
        stream.setOnReadyHandler(() -> ready.offer(true));
      }

      void await() throws InterruptedException {
        while (!calls.isReady()) {
          if (closed) {
            throw new InterruptedException();
          }
          ready.poll(IDLE.toMillis(), TimeUnit.MILLISECONDS);
        }
      }

      @Override
      public void onNext(PublishLogsReply reply) {}

      @Override
      public void onError(Throwable error) {
        LOG.debug("logs {}: {}", id, error.toString());
        Reader.this.close();
      }

      @Override
      public void onCompleted() {
        Reader.this.close();
      }
    }
  }
}
