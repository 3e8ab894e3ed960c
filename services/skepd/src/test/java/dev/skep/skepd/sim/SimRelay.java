package dev.skep.skepd.sim;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.relay.core.Action;
import dev.skep.relay.core.LogEnd;
import dev.skep.relay.core.Moved;
import dev.skep.relay.core.Reason;
import dev.skep.relay.core.RelayCore;
import dev.skep.relay.core.Rules;
import dev.skep.relay.core.Tenure;
import dev.skep.state.ClusterState;
import dev.skep.state.Decider;
import dev.skep.state.Decision;
import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import dev.skep.state.v1.LeaderRow;
import dev.skep.testkit.sim.SimLog;
import dev.skep.testkit.sim.SimProcess;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.SimView;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** One life of a relay: the real core's decisions, carried out between a simulated store and a simulated log. */
final class SimRelay {
  /** The real ones are hours; a day of a simulation has seconds. */
  static final Rules RULES =
      new Rules(Duration.ofSeconds(5), Duration.ofSeconds(15), Duration.ofSeconds(1), Duration.ofSeconds(20), 16, 64 << 10, Duration.ZERO);

  private static final Duration AT_ONCE = Duration.ofNanos(30_000);
  private static final Duration LONGEST_SLEEP = Duration.ofMillis(500);
  private static final Duration TAIL_QUICKEST = Duration.ofNanos(100_000);
  private static final Duration TAIL_USUAL = Duration.ofMillis(3);
  private static final int ROWS_OF_A_PART = 40;
  private static final int PARTS_AT_ONCE = 3;

  private final SimProcess process;
  private final SimStore store;
  private final SimLog log;
  private final SimView view;
  private final Mutant mutant;
  private final RelayCore core = new RelayCore(RULES);
  private Tenure tenure = Tenure.NONE;
  private final Deque<Moved> arrived = new ArrayDeque<>();
  private boolean lost;
  private boolean busy;
  private boolean planned;
  private long timers;
  private long next; // of the watch; 0: none is open
  private boolean tailing;
  private long fence;
  private LogWriter.End remembered; // for a planted bug

  SimRelay(SimCluster cluster, SimProcess process, SimView view) {
    this.process = process;
    this.store = cluster.store();
    this.log = cluster.log();
    this.view = view;
    this.mutant = cluster.mutant();
    view.listen((state, changes, reset) -> {
      tenure = tenure.seen(state);
      tail();
      plan();
    });
  }

  /** That it is asked says that it leads. */
  Decider decider() {
    return (state, since, tick) -> {
      tenure = tenure.won(state);
      plan();
      return Decision.NOTHING;
    };
  }

  private void plan() {
    if (!planned && !busy) {
      planned = true;
      process.after(AT_ONCE, this::run);
    }
  }

  private void run() {
    planned = false;
    if (busy) {
      return;
    }
    Instant now = process.now();
    while (!arrived.isEmpty()) {
      core.moved(arrived.poll(), now);
    }
    if (lost) {
      lost = false;
      core.lost();
    }
    if (tenure.held() != core.leading()) {
      process.note(tenure.held() ? "relays" : "relays no more");
      if (tenure.held()) {
        core.mandated();
      } else {
        core.dismissed();
      }
    }
    core.seen(view.state().revision(), now);
    step(core.next(now));
    if (next > 0 && !core.watching()) {
      next = 0;
      arrived.clear();
    }
  }

  private void step(Action action) {
    switch (action) {
      case Action.Claim _ -> claim();
      case Action.Watch watch -> {
        next = watch.from();
        tail();
        plan();
      }
      case Action.Append append -> append(append);
      case Action.Begin begin -> begin(begin.reason(), begin.previous());
      case Action.Snapshot snapshot -> snapshot(snapshot);
      case Action.Compact compact -> {
        busy = true;
        store.compact(process, compact.revision(), done -> done(() -> core.compacted(done ? compact.revision() : 0, process.now())));
      }
      case Action.Sleep sleep -> sleep(sleep.until());
    }
  }

  private void done(Runnable told) {
    told.run();
    busy = false;
    plan();
  }

  private void failed() {
    done(() -> core.failed(process.now()));
  }

  private void sleep(Optional<Instant> until) {
    long timer = ++timers;
    Duration wait = until.map(time -> Duration.between(process.now(), time)).orElse(LONGEST_SLEEP);
    process.after(wait.compareTo(LONGEST_SLEEP) > 0 ? LONGEST_SLEEP : wait.isPositive() ? wait : AT_ONCE, () -> {
      if (timer == timers) {
        plan();
      }
    });
  }

  // ---- the store's watch ----

  private void tail() {
    if (next > 0 && !tailing && next <= store.revision()) {
      tailing = true;
      process.after(process.world().between(TAIL_QUICKEST, TAIL_USUAL), this::follow);
    }
  }

  private void follow() {
    tailing = false;
    if (next == 0) {
      return;
    }
    if (!store.reaches(process)) {
      tailing = true;
      process.after(TAIL_USUAL.multipliedBy(10), this::follow);
      return;
    }
    if (next < store.forgotten()) {
      lost = true;
    } else {
      while (next <= store.revision()) {
        arrived.add(new Moved(next, Entries.shown(store.at(next).changes(), next)));
        next++;
      }
    }
    plan();
  }

  // ---- what the core wants ----

  /** As the real one: the row is confirmed before the claim and after it. */
  private void claim() {
    busy = true;
    confirmed(() -> epoch(before -> log.claim(process, before, claimed -> {
      if (claimed.isEmpty()) {
        failed();
        return;
      }
      fence = claimed.get().fence();
      LogWriter.End end = mutant == Mutant.RELAY_FROM_MEMORY && remembered != null ? remembered : claimed.get().end();
      confirmed(() -> epoch(after -> done(() -> core.claimed(Entries.end(end), after))));
    })));
  }

  private void confirmed(Runnable then) {
    store.read(process, Tenure.ROW.path(), answer -> {
      if (answer.isEmpty()) {
        failed();
        return;
      }
      tenure = tenure.confirmed(answer.get().map(SimRelay::leader).orElse(null));
      if (tenure.held()) {
        then.run();
      } else {
        done(core::dismissed);
      }
    });
  }

  private static LeaderRow leader(Store.Entry entry) {
    try {
      return LeaderRow.parseFrom(entry.value());
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }

  private void epoch(Consumer<String> then) {
    store.read(process, Rows.cluster().path(), answer -> {
      if (answer.isEmpty()) {
        failed();
      } else {
        then.accept(answer.get().map(entry -> RelayCore.epochOf(entry.value())).orElse(""));
      }
    });
  }

  private void append(Action.Append append) {
    busy = true;
    List<LogEntry> entries = new ArrayList<>();
    for (Action.Link link : append.links()) {
      entries.add(new LogEntry.Changes(append.epoch(), link.moved().revision(), link.previous(), Entries.toLog(link.moved().changes())));
    }
    log.append(process, fence, entries, answer -> landed(answer, end -> core.appended(end, process.now())));
  }

  private void landed(Optional<LogWriter.End> answer, Consumer<LogEnd> told) {
    if (answer.isEmpty()) {
      failed();
    } else {
      remembered = answer.get();
      done(() -> told.accept(Entries.end(answer.get())));
    }
  }

  private void begin(Reason reason, long previous) {
    busy = true;
    store.readAll(process, 0, answer -> {
      ClusterState rows = answer.flatMap(there -> there).orElse(null);
      ClusterRow cluster = rows == null ? null : rows.value(Rows.cluster());
      if (cluster == null) {
        failed();
        return;
      }
      String epoch = cluster.getEpoch();
      process.note("begins the log anew at " + rows.revision() + " of " + epoch + ": " + reason);
      Deque<LogEntry> entries = new ArrayDeque<>(Entries.parts(epoch, rows, ROWS_OF_A_PART));
      entries.addFirst(new LogEntry.Reset(epoch, rows.revision(), previous, LogEntry.Reason.valueOf(reason.name())));
      write(entries, end -> core.began(end, epoch, process.now()));
    });
  }

  private void snapshot(Action.Snapshot action) {
    busy = true;
    store.readAll(process, action.revision(), answer -> {
      if (answer.isEmpty()) {
        failed();
      } else if (answer.get().isEmpty()) {
        done(() -> core.notAppended(process.now()));
      } else {
        write(new ArrayDeque<>(Entries.parts(action.epoch(), answer.get().get(), ROWS_OF_A_PART)), end -> core.appended(end, process.now()));
      }
    });
  }

  /** In transactions of a few parts: it may end in the middle. */
  private void write(Deque<LogEntry> entries, Consumer<LogEnd> told) {
    List<LogEntry> some = new ArrayList<>();
    while (!entries.isEmpty() && some.size() < PARTS_AT_ONCE) {
      some.add(entries.poll());
    }
    log.append(process, fence, some, answer -> {
      if (answer.isPresent() && !entries.isEmpty()) {
        write(entries, told);
      } else {
        landed(answer, told);
      }
    });
  }

  @Override
  public String toString() {
    return "relay in " + process.name() + (core.leading() ? " leads" : " waits") + ", the log has " + core.relayed() + " of " + store.revision()
        + (busy ? ", busy" : "") + (next > 0 ? ", watches from " + next : "");
  }
}
