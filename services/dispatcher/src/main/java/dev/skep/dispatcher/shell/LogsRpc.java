package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.DispatcherConfig;
import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.dispatcher.v1.LogsGrpc;
import dev.skep.runtime.Host;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/** The calls of log readers. */
final class LogsRpc extends LogsGrpc.LogsImplBase {
  private final Host host;
  private final DispatcherConfig config;
  private final Desk desk;
  private final Sessions sessions;

  LogsRpc(Host host, DispatcherConfig config, Desk desk, Sessions sessions) {
    this.host = host;
    this.config = config;
    this.desk = desk;
    this.sessions = sessions;
  }

  @Override
  public void read(LogSelector selector, StreamObserver<LogBatch> responses) {
    ServerCallStreamObserver<LogBatch> observer = (ServerCallStreamObserver<LogBatch>) responses;
    LogReader reader = new LogReader(host.ids().next(), selector, observer, config.logBatches());
    observer.setOnReadyHandler(reader::ready);
    observer.setOnCancelHandler(() -> {
      reader.close();
      desk.run(() -> sessions.logs().close(reader.id()));
    });
    try {
      long revision = host.view().fresh(config.storePatience()).revision();
      desk.run(() -> {
        if (sessions.logs().size() >= config.maxLogReaders()) {
          observer.onError(Status.RESOURCE_EXHAUSTED.withDescription("too many open log requests").asRuntimeException());
        } else if (!observer.isCancelled()) {
          // The dispatcher's own state may be a move behind; the newest of the two knows the task that was just made.
          sessions.logs().open(reader, sessions.state().revision() >= revision ? sessions.state() : host.view().state());
        }
      });
    } catch (RuntimeException e) {
      observer.onError(Failures.status(e).asRuntimeException());
    }
  }
}
