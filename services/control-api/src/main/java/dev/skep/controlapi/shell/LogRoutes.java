package dev.skep.controlapi.shell;

import com.google.protobuf.Timestamp;
import dev.skep.controlapi.core.Answer;
import dev.skep.controlapi.core.ApiError;
import dev.skep.controlapi.core.LogFrames;
import dev.skep.controlapi.core.References;
import dev.skep.controlapi.shell.http.MalformedRequest;
import dev.skep.controlapi.shell.http.Reply;
import dev.skep.controlapi.shell.http.Request;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogLine;
import dev.skep.dispatcher.v1.LogOptions;
import dev.skep.dispatcher.v1.LogProblem;
import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.dispatcher.v1.LogsGrpc;
import dev.skep.runtime.Host;
import dev.skep.state.ClusterState;
import dev.skep.state.EffectiveSpec;
import dev.skep.state.Rows;
import dev.skep.state.v1.TaskIntentRow;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/** The logs of services and tasks, from wherever they run. */
final class LogRoutes {
  private static final String FRAMED = "application/vnd.docker.multiplexed-stream";
  private static final String RAW = "application/vnd.docker.raw-stream";
  private static final long ALL = -1;

  private final Host host;

  LogRoutes(Host host) {
    this.host = host;
  }

  Reply ofService(ClusterState state, Request request, String reference) throws MalformedRequest {
    Answer<LogOptions> options = options(request);
    boolean details = request.flag("details");
    boolean timestamps = request.flag("timestamps");
    return Replies.of(
        References.service(state, reference)
            .then(id -> options.map(
                asked -> stream(LogSelector.newBuilder().addServiceIds(id).setOptions(asked).build(), tty(state, id), details,
                timestamps))),
        reply -> reply);
  }

  Reply ofTask(ClusterState state, Request request, String reference) throws MalformedRequest {
    Answer<LogOptions> options = options(request);
    boolean details = request.flag("details");
    boolean timestamps = request.flag("timestamps");
    return Replies.of(
        References.task(state, reference)
            .then(
                id -> {
                  TaskIntentRow task = state.value(Rows.INTENT.key(id));
                  boolean tty = tty(state, task.getServiceId());
                  return options.map(asked -> stream(LogSelector.newBuilder().addTaskIds(id).setOptions(asked).build(), tty, details,
                      timestamps));
                }),
        reply -> reply);
  }

  private static boolean tty(ClusterState state, String serviceId) {
    EffectiveSpec spec = EffectiveSpec.of(state, serviceId);
    return spec != null && spec.template().getTask().getContainerSpec().getTty();
  }

  private static Answer<LogOptions> options(Request request) throws MalformedRequest {
    if (!request.flag("stdout") && !request.flag("stderr")) {
      return Answer.refused(ApiError.noStream());
    }
    String tail = request.query("tail");
    boolean number = tail.matches("[0-9]{1,9}");
    if (!number && !tail.isEmpty() && !tail.equals("all")) {
      return Answer.refused(ApiError.badTail());
    }
    LogOptions.Builder options =
        LogOptions.newBuilder()
            .setFollow(request.flag("follow"))
            .setStdout(request.flag("stdout"))
            .setStderr(request.flag("stderr"))
            .setTail(number ? Long.parseLong(tail) : ALL);
    Optional<Instant> since = UnixTime.parse(request.query("since"));
    since.filter(time -> time.getEpochSecond() > 0)
        .ifPresent(time -> options.setSince(Timestamp.newBuilder().setSeconds(time.getEpochSecond()).setNanos(time.getNano())));
    return Answer.ok(options.build());
  }

  private Reply stream(LogSelector selector, boolean tty, boolean details, boolean timestamps) {
    LogFrames frames = new LogFrames(!tty, details, timestamps);
    return new Reply.Streamed(200, tty ? RAW : FRAMED, pieces -> read(selector, frames, pieces));
  }

  private void read(LogSelector selector, LogFrames frames, Reply.Pieces pieces) throws IOException {
    List<String> problems = new ArrayList<>();
    try (Context.CancellableContext call = Context.current().withCancellation()) {
      pieces.whenClientLeaves(() -> call.cancel(new CancellationException("the client left")));
      Context before = call.attach();
      try {
        Iterator<LogBatch> batches = LogsGrpc.newBlockingStub(host.channel("dispatcher")).read(selector);
        while (batches.hasNext()) {
          LogBatch batch = batches.next();
          ByteArrayOutputStream lines = new ByteArrayOutputStream();
          for (LogLine line : batch.getLinesList()) {
            lines.writeBytes(frames.line(line));
          }
          pieces.write(lines.toByteArray());
          for (LogProblem problem : batch.getProblemsList()) {
            problems.add("task " + problem.getTaskId() + ": " + problem.getReason());
          }
        }
      } catch (StatusRuntimeException e) {
        problems.add(e.getStatus().getDescription() == null ? e.getStatus().getCode().name() : e.getStatus().getDescription());
      } finally {
        call.detach(before);
      }
    }
    if (!problems.isEmpty()) {
      pieces.write(frames.failure(problems));
    }
  }
}
