package dev.skep.skepd.sim;

import dev.skep.dispatcher.core.SessionKey;
import dev.skep.dispatcher.v1.NodeReport;
import dev.skep.state.v1.TaskStatusRow;
import dev.skep.testkit.sim.SimProcess;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What an agent tells the cluster: states of tasks and reports of its node, again and again until they have landed. */
final class Outbox {
  private static final Duration RETRY = Duration.ofMillis(200);
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** The agent's connection. */
  interface Line {
    /** "" while there is none. */
    String session();

    void over();

    NodeReport report();
  }

  private final SimNode node;
  private final SimProcess process;
  private final String nodeId;
  private final Supplier<Seat> seat;
  private final Line line;
  private final Map<String, TaskStatusRow> unsent = new TreeMap<>();
  private boolean sending;
  private NodeReport reported;
  private long reports;

  Outbox(SimNode node, Supplier<Seat> seat, Line line) {
    this.node = node;
    this.process = node.process();
    this.nodeId = node.id();
    this.seat = seat;
    this.line = line;
  }

  void put(TaskStatusRow row) {
    unsent.put(row.getTaskId(), row);
  }

  void remove(String taskId) {
    unsent.remove(taskId);
  }

  /** A session begins: everything is told again. */
  void begin(Collection<TaskStatusRow> rows) {
    unsent.clear();
    rows.forEach(this::put);
    reported = null;
    sending = false;
    send();
  }

  void send() {
    if (sending || line.session().isEmpty() || unsent.isEmpty()) {
      return;
    }
    sending = true;
    String mine = line.session();
    List<TaskStatusRow> rows = List.copyOf(unsent.values());
    call((there, answer) -> there.update(new SessionKey(nodeId, mine), rows, answer), ok -> {
      if (!line.session().equals(mine)) {
        return;
      }
      sending = false;
      if (ok.isPresent() && ok.get()) {
        rows.forEach(row -> unsent.remove(row.getTaskId(), row));
        send();
      } else if (ok.isPresent()) {
        line.over();
      } else {
        process.after(RETRY, this::send);
      }
    });
  }

  void sendReport() {
    NodeReport report = line.report();
    if (line.session().isEmpty() || report.equals(reported)) {
      return;
    }
    String mine = line.session();
    reported = report;
    long number = ++reports;
    call((there, answer) -> there.report(new SessionKey(nodeId, mine), number, report, answer), ok -> {
      if (ok.isEmpty() || !ok.get()) {
        reported = null;
        process.after(RETRY, this::sendReport);
      } else {
        sendReport();
      }
    });
  }

  /** A call whose answer comes when the dispatcher has something to say, or never. */
  private void call(BiConsumer<SimReports, Consumer<Boolean>> body, Consumer<Optional<Boolean>> answer) {
    boolean[] over = new boolean[1];
    Consumer<Optional<Boolean>> once = result -> {
      if (!over[0]) {
        over[0] = true;
        answer.accept(result);
      }
    };
    process.after(PATIENCE, () -> once.accept(Optional.empty()));
    Seat there = seat.get();
    node.net().send(process, there.process(), () ->
        body.accept(there.dispatcher().reports(), ok -> node.net().send(there.process(), process, () -> once.accept(Optional.of(ok)))));
  }

  @Override
  public String toString() {
    return (sending ? "sending, " : "") + "unsent " + unsent.keySet();
  }
}
