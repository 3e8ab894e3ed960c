package dev.skep.controlapi.shell;

import dev.skep.controlapi.core.ClusterEvent;
import dev.skep.controlapi.shell.http.JsonText;
import dev.skep.runtime.Host;
import dev.skep.runtime.View;
import dev.skep.state.ClusterState;
import dev.skep.state.RowChange;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Turns changes of the view into events, keeps the last of them, and hands new ones on. */
final class EventFeed implements AutoCloseable {
  private static final int KEPT = 1024;

  /** An event, its place among all, and when it was seen. */
  record Seen(long number, ClusterEvent event, Instant at) {
    /** As one line of {@code GET /events}. */
    byte[] line() {
      List<String> attributes = new ArrayList<>();
      event.attributes().forEach((key, value) -> attributes.add(JsonText.quoted(key) + ":" + JsonText.quoted(value)));
      long nanos = at.getEpochSecond() * 1_000_000_000L + at.getNano();
      String line =
          "{\"Type\":"
              + JsonText.quoted(event.type())
              + ",\"Action\":"
              + JsonText.quoted(event.action())
              + ",\"Actor\":{\"ID\":"
              + JsonText.quoted(event.id())
              + ",\"Attributes\":{"
              + String.join(",", attributes)
              + "}},\"scope\":\"swarm\",\"time\":"
              + at.getEpochSecond()
              + ",\"timeNano\":"
              + nanos
              + "}\n";
      return line.getBytes(StandardCharsets.UTF_8);
    }
  }

  private final Host host;
  private final ConcurrentLinkedDeque<Seen> kept = new ConcurrentLinkedDeque<>();
  private final List<Consumer<Seen>> listeners = new CopyOnWriteArrayList<>();
  private final AutoCloseable listening;
  private long seen; // the view's thread only
  private int size; // the view's thread only

  EventFeed(Host host) {
    this.host = host;
    View.Listener listener = this::moved;
    this.listening = host.view().listen(listener);
  }

  private void moved(ClusterState state, List<RowChange> changes, boolean reset) {
    for (RowChange change : changes) {
      Optional<ClusterEvent> event = ClusterEvent.of(state, change);
      if (event.isPresent()) {
        Seen fresh = new Seen(++seen, event.get(), host.clock().instant());
        kept.addLast(fresh);
        if (++size > KEPT) {
          kept.pollFirst();
          size--;
        }
        listeners.forEach(one -> one.accept(fresh));
      }
    }
  }

  /** Hears of new events on the view's thread, and must not block. */
  AutoCloseable listen(Consumer<Seen> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** Those still kept that pass, oldest first. */
  List<Seen> since(Instant from, Map<String, Set<String>> filters) {
    return kept.stream().filter(one -> !one.at().isBefore(from) && one.event().passes(filters)).toList();
  }

  @Override
  public void close() {
    Cluster.close(listening);
  }
}
