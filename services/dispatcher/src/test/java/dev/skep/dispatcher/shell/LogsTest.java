package dev.skep.dispatcher.shell;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.skep.dispatcher.DispatcherComponent;
import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogLine;
import dev.skep.dispatcher.v1.LogOptions;
import dev.skep.dispatcher.v1.LogProblem;
import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.dispatcher.v1.LogSubscription;
import dev.skep.dispatcher.v1.LogsGrpc;
import dev.skep.dispatcher.v1.PublishLogsReply;
import dev.skep.state.v1.TaskState;
import dev.skep.testkit.TestHost;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Log lines from nodes to readers. */
class LogsTest {
  private static final LogOptions ALL = LogOptions.newBuilder().setStdout(true).setStderr(true).setTail(-1).build();
  private static final LogOptions FOLLOW = ALL.toBuilder().setFollow(true).build();

  private TestHost host;
  private Cluster cluster;
  private FakeAgent one;
  private FakeAgent two;

  @BeforeEach
  void start() throws Exception {
    host = TestHost.start(new DispatcherComponent(DispatcherConfig.defaults()));
    cluster = new Cluster(host).init("n1", "n2");
    one = new FakeAgent(host.channel("dispatcher"), "n1");
    two = new FakeAgent(host.channel("dispatcher"), "n2");
    one.register();
    two.register();
  }

  @AfterEach
  void stop() {
    one.close();
    two.close();
    host.close();
  }

  /** A reader that remembers what it got. */
  private static final class Reader implements StreamObserver<LogBatch> {
    private final BlockingQueue<LogBatch> batches = new LinkedBlockingQueue<>();
    private final Context.CancellableContext life = Context.current().withCancellation();

    @Override
    public void onNext(LogBatch batch) {
      batches.add(batch);
    }

    @Override
    public void onError(Throwable failure) {
      batches.add(LogBatch.newBuilder().setSubscriptionId(Status.fromThrowable(failure).getCode().name()).setEnd(true).build());
    }

    @Override
    public void onCompleted() {}

    LogBatch next() throws InterruptedException {
      LogBatch batch = batches.poll(20, TimeUnit.SECONDS);
      assertThat(batch).isNotNull();
      return batch;
    }

    List<LogBatch> toTheEnd() throws InterruptedException {
      List<LogBatch> all = new ArrayList<>();
      do {
        all.add(next());
      } while (!all.getLast().getEnd());
      return all;
    }
  }

  private Reader read(LogOptions options, String... tasks) {
    Reader reader = new Reader();
    LogSelector.Builder selector = LogSelector.newBuilder().setOptions(options).addAllTaskIds(List.of(tasks));
    if (tasks.length == 0) {
      selector.addServiceIds(Cluster.SERVICE);
    }
    reader.life.run(() -> LogsGrpc.newStub(host.channel("dispatcher")).read(selector.build(), reader));
    return reader;
  }

  private static LogBatch batch(LogSubscription subscription, String task, String text, boolean end) {
    LogBatch.Builder batch = LogBatch.newBuilder().setSubscriptionId(subscription.getId()).setEnd(end);
    if (!text.isEmpty()) {
      batch.addLines(LogLine.newBuilder().setTaskId(task).setData(ByteString.copyFromUtf8(text)));
    }
    return batch.build();
  }

  private static List<String> lines(List<LogBatch> batches) {
    return batches.stream().flatMap(batch -> batch.getLinesList().stream()).map(line -> line.getData().toStringUtf8()).toList();
  }

  private static List<String> problems(List<LogBatch> batches) {
    return batches.stream().flatMap(batch -> batch.getProblemsList().stream()).map(LogProblem::getReason).toList();
  }

  @Test
  void linesOfAllNodesComeAndWhatIsMissingIsSaid() throws Exception {
    cluster.place("t1", "n1");
    cluster.place("t2", "n2");
    cluster.desire("t3", TaskState.TASK_RUNNING);
    Reader reader = read(ALL);
    LogSubscription first = one.awaitSubscription();
    LogSubscription second = two.awaitSubscription();
    assertThat(first.getTaskIdsList()).containsExactly("t1");
    assertThat(first.getOptions()).isEqualTo(ALL);
    BlockingQueue<FakeAgent.Got<PublishLogsReply>> ends = new LinkedBlockingQueue<>();
    StreamObserver<LogBatch> from1 = one.publish(ends);
    from1.onNext(batch(first, "t1", "a", false));
    from1.onNext(batch(first, "t1", "b", true));
    two.publish(ends).onNext(batch(second, "t2", "c", true));
    List<LogBatch> all = reader.toTheEnd();
    assertThat(lines(all)).containsExactlyInAnyOrder("a", "b", "c").containsSubsequence("a", "b");
    assertThat(problems(all)).containsExactly("task t3 has not been scheduled");
  }

  @Test
  void nobodyPublishesWhatItWasNotAskedFor() throws Exception {
    cluster.place("t1", "n1");
    cluster.place("t2", "n2");
    Reader reader = read(ALL, "t1");
    LogSubscription asked = one.awaitSubscription();
    BlockingQueue<FakeAgent.Got<PublishLogsReply>> ends = new LinkedBlockingQueue<>();
    two.publish(ends).onNext(batch(asked, "t1", "forged", false));
    assertThat(ends.poll(20, TimeUnit.SECONDS).end().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
    one.publish(ends).onNext(batch(asked, "t1", "true", true));
    assertThat(lines(reader.toTheEnd())).containsExactly("true");
  }

  @Test
  void aNodeThatGoesAwayIsAProblemAndNotAnEndlessWait() throws Exception {
    cluster.place("t1", "n1");
    cluster.place("t2", "n2");
    Reader reader = read(ALL);
    LogSubscription asked = one.awaitSubscription();
    two.awaitSubscription();
    one.publish(new LinkedBlockingQueue<>()).onNext(batch(asked, "t1", "a", true));
    two.leave();
    List<LogBatch> all = reader.toTheEnd();
    assertThat(lines(all)).containsExactly("a");
    assertThat(problems(all)).containsExactly("node n2 is not available");
  }

  @Test
  void newTasksJoinAFollowAndItEndsWithItsReader() throws Exception {
    cluster.place("t1", "n1");
    Reader reader = read(FOLLOW);
    LogSubscription first = one.awaitSubscription();
    BlockingQueue<FakeAgent.Got<PublishLogsReply>> ends = new LinkedBlockingQueue<>();
    StreamObserver<LogBatch> from1 = one.publish(ends);
    from1.onNext(batch(first, "t1", "a", false));
    assertThat(lines(List.of(reader.next()))).containsExactly("a");
    cluster.place("t2", "n2");
    LogSubscription joined = two.awaitSubscription();
    assertThat(joined.getId()).isEqualTo(first.getId());
    assertThat(joined.getTaskIdsList()).containsExactly("t2");
    two.publish(new LinkedBlockingQueue<>()).onNext(batch(joined, "t2", "b", true)); // this container ended; the follow goes on
    assertThat(lines(List.of(reader.next()))).containsExactly("b");
    from1.onNext(batch(first, "t1", "c", false));
    assertThat(lines(List.of(reader.next()))).containsExactly("c");

    reader.life.cancel(null);
    assertThat(one.awaitSubscription().getClose()).isTrue();
    from1.onNext(batch(first, "t1", "late", false));
    assertThat(ends.poll(20, TimeUnit.SECONDS).end().getCode()).isEqualTo(Status.Code.CANCELLED);
  }

  @Test
  void aFollowGoesOnWhenItsNodeIsBack() throws Exception {
    cluster.place("t1", "n1");
    Reader reader = read(FOLLOW, "t1");
    LogSubscription first = one.awaitSubscription();
    one.publish(new LinkedBlockingQueue<>()).onNext(batch(first, "t1", "a", false));
    assertThat(lines(List.of(reader.next()))).containsExactly("a");
    one.leave();
    one = new FakeAgent(host.channel("dispatcher"), "n1");
    one.register();
    LogSubscription again = one.awaitSubscription();
    assertThat(again.getId()).isEqualTo(first.getId());
    one.publish(new LinkedBlockingQueue<>()).onNext(batch(again, "t1", "b", true));
    assertThat(lines(reader.toTheEnd())).containsExactly("b");
  }

  @Test
  void whatNobodyKnowsEndsAtOnce() throws Exception {
    List<LogBatch> all = read(ALL, "nothing").toTheEnd();
    assertThat(problems(all)).containsExactly("task nothing not found");
    assertThat(problems(read(FOLLOW, "nothing").toTheEnd())).containsExactly("task nothing not found");
  }
}
