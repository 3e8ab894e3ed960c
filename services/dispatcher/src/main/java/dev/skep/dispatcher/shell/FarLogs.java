package dev.skep.dispatcher.shell;

import dev.skep.dispatcher.v1.LogBatch;
import dev.skep.dispatcher.v1.LogSelector;
import dev.skep.dispatcher.v1.LogsGrpc;
import dev.skep.runtime.Host;
import dev.skep.state.v1.DispatcherRow;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Log lines of nodes whose session is with another dispatcher: read through that one, as fast as the reader takes them. */
final class FarLogs {
  private static final Logger LOG = LoggerFactory.getLogger(FarLogs.class);
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final Host host;
  private final Desk desk;
  private final Sessions sessions;

  /** One call to one dispatcher for the lines of one node. */
  static final class Call {
    private final String dispatcherId;
    private final Context.CancellableContext context = Context.ROOT.withCancellation();

    private Call(String dispatcherId) {
      this.dispatcherId = dispatcherId;
    }

    String dispatcherId() {
      return dispatcherId;
    }

    void end() {
      context.cancel(null);
    }
  }

  FarLogs(Host host, Desk desk, Sessions sessions) {
    this.host = host;
    this.desk = desk;
    this.sessions = sessions;
  }

  Call read(LogDesk.Open open, String nodeId, DispatcherRow dispatcher, LogSelector selector) {
    Call call = new Call(dispatcher.getId());
    host.blocking("far-logs", () -> {
      boolean whole = call.context.isCancelled() || handOver(open, nodeId, dispatcher, selector, call);
      desk.run(() -> {
        sessions.logs().farEnded(call, open, nodeId, !whole, sessions.state());
        if (!whole) {
          host.after(RETRY, () -> desk.run(() -> sessions.logs().retryFar(sessions.state())));
        }
      });
    });
    return call;
  }

  /** False when the lines broke off. */
  private boolean handOver(LogDesk.Open open, String nodeId, DispatcherRow dispatcher, LogSelector selector, Call call) {
    Context before = call.context.attach();
    try {
      Iterator<LogBatch> batches = LogsGrpc.newBlockingStub(host.peer(dispatcher.getAddress())).read(selector);
      while (batches.hasNext()) {
        LogBatch batch = batches.next();
        boolean asked = open.accepts(nodeId, batch);
        boolean something = batch.getLinesCount() + batch.getProblemsCount() > 0;
        if (asked && something && !open.reader().put(batch.toBuilder().setEnd(false).setSubscriptionId(open.reader().id()).build())) {
          return true; // nobody reads any more
        }
      }
      return true;
    } catch (StatusRuntimeException e) {
      LOG.debug("logs of node {} through {}: {}", nodeId, dispatcher.getAddress(), e.getMessage());
      return false;
    } catch (InterruptedException e) {
      return true; // the host stops
    } finally {
      call.context.detach(before);
      call.end();
    }
  }
}
