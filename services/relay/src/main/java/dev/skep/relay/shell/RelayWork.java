package dev.skep.relay.shell;

import dev.skep.backend.CompactedException;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.relay.core.Action;
import dev.skep.relay.core.Change;
import dev.skep.relay.core.Reason;
import dev.skep.relay.core.RelayCore;
import dev.skep.state.Rows;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Drives a {@link RelayCore} on one thread: feeds it the store and the mandate, does what it says. */
final class RelayWork implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(RelayWork.class);
  private static final Duration LONGEST_SLEEP = Duration.ofSeconds(30); // the wall clock may have been set meanwhile
  private static final int AT_ONCE = 500; // events taken before the core is asked again
  private static final int PART_BYTES = 512 << 10;
  private static final int PARTS_AT_ONCE = 8; // parts of a snapshot in one transaction
  private static final int COMPLAIN_EVERY = 30;

  private final RelayCore core;
  private final Store store;
  private final LogWriter writer;
  private final Lead lead;
  private final LongSupplier newest;
  private final Clock clock;
  private final RelayMetrics metrics;
  private final StoreTail tail;
  private volatile boolean closed;
  private int failures; // in a row
  private String said = ""; // by the last one

  /** @param newest the newest revision of the store that this process has seen */
  RelayWork(RelayCore core, Store store, LogWriter writer, Lead lead, LongSupplier newest, Clock clock, RelayMetrics metrics) {
    this.core = core;
    this.store = store;
    this.writer = writer;
    this.lead = lead;
    this.newest = newest;
    this.clock = clock;
    this.metrics = metrics;
    this.tail = new StoreTail(store);
  }

  /** From any thread: the mandate may have changed. */
  void wake() {
    tail.wake();
  }

  /** From any thread: ends the work; what it is waiting for fails. */
  void close() {
    closed = true;
    writer.close();
    tail.wake();
  }

  @Override
  public void run() {
    Duration wait = Duration.ZERO;
    try {
      while (!closed) {
        listen(wait);
        Instant now = clock.instant();
        core.seen(newest.getAsLong(), now);
        wait = step(core.next(now));
        if (tail.isOpen() && !core.watching()) {
          tail.close();
        }
        metrics.stepped(core, clock.instant());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // only whoever ends the process interrupts us
    } finally {
      tail.close();
    }
  }

  /** Tells the core what happened; waits for something to happen when there is nothing else to do. */
  private void listen(Duration wait) throws InterruptedException {
    StoreTail.Event event = tail.next(wait);
    for (int i = 0; event != null; i++) {
      switch (event) {
        case StoreTail.Event.Revision revision -> core.moved(revision.moved(), clock.instant());
        case StoreTail.Event.Lost _ -> core.lost();
        case StoreTail.Event.Wake _ -> {
          // the mandate is looked at below
        }
      }
      event = i < AT_ONCE ? tail.next(Duration.ZERO) : null;
    }
    if (lead.held() != core.leading()) {
      if (lead.held()) {
        LOG.info("this relay leads");
        core.mandated();
      } else {
        LOG.info("this relay does not lead any more");
        core.dismissed();
      }
    }
  }

  /** Does it. Returns how long nothing needs to be done. */
  private Duration step(Action action) {
    try {
      switch (action) {
        case Action.Claim _ -> claim();
        case Action.Watch watch -> tail.open(watch.from());
        case Action.Append append -> append(append);
        case Action.Begin begin -> begin(begin.reason(), begin.previous());
        case Action.Snapshot snapshot -> snapshot(snapshot);
        case Action.Compact compact -> compact(compact.revision());
        case Action.Sleep sleep -> {
          return sleep(sleep.until());
        }
      }
      return Duration.ZERO;
    } catch (StoreException e) {
      failed(action, e);
      return Duration.ZERO;
    }
  }

  private Duration sleep(Optional<Instant> until) {
    Duration wait = until.map(time -> Duration.between(clock.instant(), time)).orElse(LONGEST_SLEEP);
    return wait.compareTo(LONGEST_SLEEP) > 0 ? LONGEST_SLEEP : wait.isPositive() ? wait : Duration.ofMillis(1);
  }

  private void failed(Action action, StoreException e) {
    String what = action.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
    metrics.failed(e instanceof LogWriter.FencedException ? "fenced" : what);
    String now = String.valueOf(e.getMessage());
    boolean often = failures++ % COMPLAIN_EVERY != 0;
    if (!closed && e.denied() && !(often && now.equals(said))) { // it goes on for as long as nobody does something
      LOG.error("nothing is written to the event log: {} failed: {}", what, now);
    } else if (!closed && !e.denied() && (e instanceof LogWriter.FencedException || !often)) {
      LOG.warn("the relay begins again: {} failed: {}", what, now);
    }
    said = now;
    core.failed(clock.instant());
  }

  /**
   * Before the claim we must lead, so that a relay that was replaced does not take the log back; and after it, too: who
   * still leads then is fenced by whoever leads next.
   */
  private void claim() {
    if (!lead.confirmed(store)) {
      core.dismissed();
      return;
    }
    LogWriter.End end = writer.claim(epoch());
    if (!lead.confirmed(store)) {
      core.dismissed();
      return;
    }
    LOG.info("the log ends at revision {} of epoch '{}'", end.revision(), end.epoch());
    core.claimed(Shown.end(end), epoch());
  }

  private String epoch() {
    return store.get(Rows.cluster().path()).map(entry -> RelayCore.epochOf(entry.value())).orElse("");
  }

  private void append(Action.Append append) {
    List<LogEntry> entries = new ArrayList<>();
    for (Action.Link link : append.links()) {
      entries.add(new LogEntry.Changes(
          append.epoch(), link.moved().revision(), link.previous(), link.moved().changes().stream().map(Shown::toLog).toList()));
    }
    long began = System.nanoTime();
    LogWriter.End end = writer.append(entries);
    failures = 0;
    metrics.appended(entries.size(), System.nanoTime() - began);
    core.appended(Shown.end(end), clock.instant());
  }

  private void begin(Reason reason, long previous) {
    Store.Snapshot now = store.read("");
    String epoch = now.entries().stream().filter(entry -> entry.key().equals(Rows.cluster().path())).findFirst()
        .map(entry -> RelayCore.epochOf(entry.value())).orElse("");
    if (epoch.isEmpty()) {
      throw new StoreException("there is no cluster any more");
    }
    LOG.info("the log begins anew at revision {} of epoch '{}' ({})", now.revision(), epoch, reason);
    LogWriter.End end = write(epoch, now, List.of(new LogEntry.Reset(epoch, now.revision(), previous, Shown.reason(reason))));
    failures = 0;
    metrics.reset(reason.name());
    core.began(Shown.end(end), epoch, clock.instant());
  }

  private void snapshot(Action.Snapshot action) {
    Store.Snapshot then;
    try {
      then = store.readAt("", action.revision());
    } catch (CompactedException e) {
      core.notAppended(clock.instant());
      return;
    }
    core.appended(Shown.end(write(action.epoch(), then, List.of())), clock.instant());
    metrics.snapshot();
  }

  /** Bounded parts, in bounded transactions. */
  private LogWriter.End write(String epoch, Store.Snapshot snapshot, List<LogEntry> before) {
    List<LogEntry> entries = new ArrayList<>(before);
    List<Store.Change> rows = new ArrayList<>();
    long bytes = 0;
    int part = 0;
    for (Store.Entry entry : snapshot.entries()) {
      Change row = Shown.entry(entry);
      rows.add(Shown.toLog(row));
      bytes += row.key().length() + row.value().length;
      if (bytes > PART_BYTES) {
        entries.add(new LogEntry.Snapshot(epoch, snapshot.revision(), part++, false, rows));
        rows = new ArrayList<>();
        bytes = 0;
      }
      if (entries.size() > PARTS_AT_ONCE) {
        writer.append(entries);
        entries = new ArrayList<>();
      }
    }
    entries.add(new LogEntry.Snapshot(epoch, snapshot.revision(), part, true, rows));
    return writer.append(entries);
  }

  /** That the store could not be told is no reason to begin again: it is told later. */
  private void compact(long revision) {
    try {
      store.compact(revision);
    } catch (StoreException e) {
      metrics.failed("compact");
      LOG.warn("the store was not told to forget what was before revision {}: {}", revision, e.getMessage());
      core.compacted(0, clock.instant());
      return;
    }
    core.compacted(revision, clock.instant());
  }
}
