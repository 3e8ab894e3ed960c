package dev.skep.controlapi.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.skep.api.v1.ContainerSpec;
import dev.skep.api.v1.ServiceSpec;
import dev.skep.api.v1.TaskSpec;
import dev.skep.control.v1.ControlGrpc;
import dev.skep.control.v1.CreateRequest;
import dev.skep.control.v1.GetRequest;
import dev.skep.control.v1.Kind;
import dev.skep.control.v1.ListReply;
import dev.skep.control.v1.ListRequest;
import dev.skep.control.v1.RemoveRequest;
import dev.skep.control.v1.UpdateRequest;
import dev.skep.control.v1.WatchEvent;
import dev.skep.control.v1.WatchRequest;
import dev.skep.controlapi.ControlApi;
import dev.skep.controlapi.ControlApiConfig;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogLine;
import dev.skep.dispatcher.v1.LogProblem;
import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.dispatcher.v1.LogsGrpc;
import dev.skep.testkit.TestHost;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The API for programs, and logs as they stand on the wire. */
class ControlTest {
  @TempDir Path folder;
  private TestHost host;
  private Channel inProcess;

  @BeforeEach
  void start() {
    ControlApi api =
        new ControlApi(
            ControlApiConfig.defaults()
                .withApi(List.of("unix://" + folder.resolve("api.sock")))
                .withEngine(folder.resolve("no-engine.sock"))
                .withGrpc(folder.resolve("control.sock"))
                .withNodeWait(Duration.ofMillis(1)));
    host = TestHost.start(api);
    api.ensureCluster();
    assertThat(api.ensureCluster()).as("again").isEqualTo(host.membership().current().orElseThrow().nodeId());
    inProcess = host.channel("control-api");
  }

  @AfterEach
  void stop() {
    host.close();
  }

  private static ServiceSpec spec(String name) {
    return ServiceSpec.newBuilder()
        .setName(name)
        .setTaskTemplate(TaskSpec.newBuilder().setContainerSpec(ContainerSpec.newBuilder().setImage("busybox")))
        .build();
  }

  @Test
  void theWholeLifeOfAServiceAndItsWatch() {
    ControlGrpc.ControlBlockingStub control = ControlGrpc.newBlockingStub(inProcess);
    ListReply before = control.list(ListRequest.newBuilder().setKind(Kind.SERVICE).build());
    var service = control.create(CreateRequest.newBuilder().setService(spec("web")).build()).getService();
    assertThat(control.get(GetRequest.newBuilder().setKind(Kind.SERVICE).setReference("web").build()).getService().getId())
        .isEqualTo(service.getId());
    var updated =
        control.update(
            UpdateRequest.newBuilder()
                .setKind(Kind.SERVICE)
                .setReference("web")
                .setVersion(service.getVersion().getIndex())
                .setService(spec("web").toBuilder().putLabels("a", "b"))
                .build());
    assertThat(updated.getService().getSpec().getLabelsMap()).containsEntry("a", "b");
    control.remove(RemoveRequest.newBuilder().setKind(Kind.SERVICE).setReference("web").build());

    Iterator<WatchEvent> events =
        control.watch(WatchRequest.newBuilder().addKinds(Kind.SERVICE).setFromRevision(before.getRevision()).build());
    assertThat(List.of(events.next().getAction(), events.next().getAction(), events.next().getAction()))
        .containsExactly(WatchEvent.Action.CREATE, WatchEvent.Action.UPDATE, WatchEvent.Action.REMOVE);
    control.create(CreateRequest.newBuilder().setService(spec("later")).build());
    assertThat(events.next().getObject().getService().getSpec().getName()).isEqualTo("later");
  }

  @Test
  void refusalsCarryDockersTextsAndTheirCodes() {
    ControlGrpc.ControlBlockingStub control = ControlGrpc.newBlockingStub(inProcess);
    control.create(CreateRequest.newBuilder().setService(spec("web")).build());
    assertThat(failure(() -> control.create(CreateRequest.newBuilder().setService(spec("web")).build())).getCode())
        .isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(failure(() -> control.get(GetRequest.newBuilder().setKind(Kind.NODE).setReference("x").build())).getDescription())
        .isEqualTo("node x not found");
    assertThat(failure(() -> control.create(CreateRequest.getDefaultInstance())).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    host.store().compact(host.store().revision());
    Iterator<WatchEvent> compacted = control.watch(WatchRequest.newBuilder().setFromRevision(1).build());
    assertThat(failure(compacted::next).getCode()).isEqualTo(Status.Code.OUT_OF_RANGE);
  }

  private static Status failure(ThrowingCallable call) {
    return catchThrowableOfType(StatusRuntimeException.class, call).getStatus();
  }

  @Test
  void programsOnTheMachineUseTheSocket() throws Exception {
    ManagedChannel channel = SocketChannels.open(folder.resolve("control.sock"));
    try {
      ControlGrpc.ControlBlockingStub control = ControlGrpc.newBlockingStub(channel);
      control.create(CreateRequest.newBuilder().setService(spec("web")).build());
      assertThat(control.list(ListRequest.newBuilder().setKind(Kind.NODE).build()).getObjectsCount()).isEqualTo(1);
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  @Test
  void logsAreFramedAndEndWithTheClient() throws Exception {
    CountDownLatch cancelled = new CountDownLatch(1);
    host.serve(
        "dispatcher",
        new LogsGrpc.LogsImplBase() {
          @Override
          public void read(LogSelector selector, StreamObserver<LogBatch> observer) {
            ((ServerCallStreamObserver<LogBatch>) observer).setOnCancelHandler(cancelled::countDown);
            LogLine line =
                LogLine.newBuilder().setNodeId("n").setServiceId(selector.getServiceIds(0)).setTaskId("t")
                    .setData(ByteString.copyFromUtf8("hello\n")).build();
            observer.onNext(LogBatch.newBuilder().addLines(line).build());
            if (!selector.getOptions().getFollow()) {
              observer.onNext(LogBatch.newBuilder().addProblems(LogProblem.newBuilder().setTaskId("u").setReason("gone")).build());
              observer.onCompleted();
            }
          }
        });
    String id = ControlGrpc.newBlockingStub(inProcess).create(CreateRequest.newBuilder().setService(spec("web")).build()).getService()
        .getId();
    String all = new String(http("/services/web/logs?stdout=1&details=1&timestamps=1", "Connection: close", -1),
        StandardCharsets.ISO_8859_1);
    assertThat(all)
        .contains("Content-Type: application/vnd.docker.multiplexed-stream")
        .contains("1970-01-01T00:00:00.000000000Z com.docker.swarm.node.id=n,com.docker.swarm.service.id=" + id
            + ",com.docker.swarm.task.id=t hello\n")
        .contains("incomplete log stream")
        .endsWith("\r\n0\r\n\r\n");
    assertThat(new String(http("/services/web/logs?tail=5", "Connection: close", -1), StandardCharsets.ISO_8859_1))
        .contains("you must choose at least one stream");
    assertThat(new String(http("/services/web/logs?stdout=1&tail=abc", "Connection: close", -1), StandardCharsets.ISO_8859_1))
        .contains("tail value must be a positive integer");
    http("/services/web/logs?stdout=1&follow=1", "X: y", "hello\n".length());
    assertThat(cancelled.await(20, TimeUnit.SECONDS)).isTrue();
  }

  /** Reads to the end, or until the answer ends with a chunk of this text's length and hangs up then. */
  private byte[] http(String path, String header, int until) throws Exception {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(folder.resolve("api.sock")))) {
      channel.write(ByteBuffer.wrap(("GET " + path + " HTTP/1.1\r\nHost: d\r\n" + header + "\r\n\r\n")
          .getBytes(StandardCharsets.ISO_8859_1)));
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      ByteBuffer piece = ByteBuffer.allocate(4096);
      while (channel.read(piece) >= 0) {
        all.write(piece.array(), 0, piece.position());
        piece.clear();
        if (until > 0 && all.toString(StandardCharsets.ISO_8859_1).contains("hello")) {
          return all.toByteArray();
        }
      }
      return all.toByteArray();
    }
  }
}
