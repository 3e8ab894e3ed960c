package dev.skep.controlapi.shell;

import dev.skep.backend.CompactedException;
import dev.skep.backend.Store;
import dev.skep.control.v1.Kind;
import dev.skep.control.v1.Object;
import dev.skep.control.v1.WatchEvent;
import dev.skep.control.v1.WatchRequest;
import dev.skep.runtime.Host;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import dev.skep.state.Rows;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;

/** One Watch: the store's change history from a revision on, as changes of objects. */
final class WatchStream {
  private static final int QUEUE = 1024; // revisions; a reader further behind is told to list again

  private record Moved(long revision, List<Store.Change> changes) {}

  private static final Moved END = new Moved(-1, List.of());

  private final Host host;
  private final Set<Kind> kinds;
  private final long from;
  private final ServerCallStreamObserver<WatchEvent> observer;
  private final BlockingQueue<Moved> queue = new ArrayBlockingQueue<>(QUEUE);
  private final Semaphore ready = new Semaphore(0);
  private volatile boolean cancelled;
  private volatile boolean lost;

  WatchStream(Host host, WatchRequest request, ServerCallStreamObserver<WatchEvent> observer) {
    this.host = host;
    this.kinds = new LinkedHashSet<>(request.getKindsList());
    this.from = request.getFromRevision();
    this.observer = observer;
    observer.setOnCancelHandler(this::cancel);
    observer.setOnReadyHandler(ready::release);
  }

  private void cancel() {
    cancelled = true;
    ready.release();
    queue.offer(END);
  }

  /** Throws StoreException when the store does not answer. */
  void open() {
    try {
      long start = from == 0 ? host.store().revision() : from;
      ClusterState state = at(start);
      host.blocking("control-api-watch", () -> run(state));
    } catch (CompactedException e) {
      observer.onError(Status.OUT_OF_RANGE.withDescription(e.getMessage() + ": list again").asRuntimeException());
    }
  }

  private ClusterState at(long revision) {
    List<ClusterState.Stored> rows = new ArrayList<>();
    for (Store.Entry entry : host.store().readAt("state/", revision).entries()) {
      rows.add(new ClusterState.Stored(entry.key(), entry.value(), entry.createRevision(), entry.modRevision()));
    }
    return ClusterState.empty().apply(revision, rows).state();
  }

  private void run(ClusterState start) {
    Store.Watcher watcher =
        new Store.Watcher() {
          @Override
          public void changed(long revision, List<Store.Change> changes) {
            if (!queue.offer(new Moved(revision, changes))) {
              lost = true;
            }
          }

          @Override
          public void compacted(long oldestRevision) {
            lost = true;
            queue.offer(END);
          }
        };
    ClusterState state = start;
    try (Store.Watch _ = host.store().watch("state/", start.revision() + 1, watcher)) {
      while (!cancelled) {
        Moved moved = queue.take();
        if (lost) {
          observer.onError(Status.OUT_OF_RANGE.withDescription("too far behind: list again").asRuntimeException());
          return;
        }
        if (moved != END) {
          ClusterState.Step step = state.apply(moved.revision(), stored(moved.changes()));
          send(state, step);
          state = step.state();
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      if (!cancelled) {
        observer.onError(Status.UNAVAILABLE.withDescription(e.toString()).asRuntimeException());
      }
    }
  }

  private static List<ClusterState.Stored> stored(List<Store.Change> changes) {
    return changes.stream()
        .map(change -> new ClusterState.Stored(change.key(), change.value(), change.createRevision(), change.modRevision())).toList();
  }

  /** Waits until the client takes more; false when it is gone. What waits here waits in the bounded queue. */
  private boolean readable() throws InterruptedException {
    while (!observer.isReady() && !cancelled) {
      ready.acquire();
    }
    return !cancelled;
  }

  private void send(ClusterState before, ClusterState.Step step) throws InterruptedException {
    Set<Map.Entry<Kind, String>> touched = new LinkedHashSet<>();
    for (RowChange change : step.changes()) {
      ControlObjects.partOf(change.key()).ifPresent(touched::add);
      if (change.key().kind() == Rows.SERVICE && change.after() == null) {
        // The tasks of a removed service vanish from the API with it.
        before.tasksOfService(change.key().lastPart()).forEach(task -> touched.add(Map.entry(Kind.TASK, task)));
      }
    }
    for (Map.Entry<Kind, String> object : touched) {
      if (kinds.isEmpty() || kinds.contains(object.getKey())) {
        Optional<WatchEvent> event = event(before, step.state(), object.getKey(), object.getValue());
        if (event.isPresent() && readable()) {
          observer.onNext(event.get());
        }
      }
    }
  }

  private static Optional<WatchEvent> event(ClusterState before, ClusterState after, Kind kind, String id) {
    Optional<Object> was = ControlObjects.byId(before, kind, id);
    Optional<Object> is = ControlObjects.byId(after, kind, id);
    WatchEvent.Builder event = WatchEvent.newBuilder().setRevision(after.revision()).setKind(kind).setId(id);
    if (is.isEmpty()) {
      return was.map(_ -> event.setAction(WatchEvent.Action.REMOVE).build());
    }
    return Optional.of(event.setAction(was.isEmpty() ? WatchEvent.Action.CREATE : WatchEvent.Action.UPDATE).setObject(is.get()).build());
  }
}
