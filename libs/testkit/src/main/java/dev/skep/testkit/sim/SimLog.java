package dev.skep.testkit.sim;

import dev.skep.backend.LogEntry;
import dev.skep.backend.LogWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The event log: a topic with one writer at a time, whom the next claim fences. A transaction lands as a whole, late, or not
 * at all, and its answer gets lost; at times the brokers are away. What it holds outlives every store.
 */
public final class SimLog {
  private static final Duration PATIENCE = Duration.ofMillis(500);
  private static final Duration QUICKEST = Duration.ofNanos(200_000);
  private static final Duration USUAL = Duration.ofMillis(5);
  private static final Duration LATEST = Duration.ofSeconds(2);

  /** What a claim brought: the writer's number, and where the log ends. */
  public record Claimed(long fence, LogWriter.End end) {}

  private final World world;
  private final Faults faults;
  private final List<LogEntry> entries = new ArrayList<>();
  private final List<Consumer<LogEntry>> watchers = new ArrayList<>();
  private final List<Runnable> readers = new ArrayList<>();
  private final Set<SimProcess> cut = new HashSet<>();
  private LogWriter.End end = LogWriter.End.EMPTY;
  private final Set<String> past = new HashSet<>(); // epochs that ended here
  private long fence;
  private boolean fences = true;
  private boolean away;

  public SimLog(World world, Faults faults) {
    this.world = world;
    this.faults = faults;
  }

  // ---- what befalls it ----

  public void cut(SimProcess process) {
    process.note("is cut off from the log");
    cut.add(process);
  }

  public void heal(SimProcess process) {
    cut.remove(process);
  }

  /** No broker answers anybody. */
  public void away(boolean is) {
    world.note("log", is ? "is away" : "is back");
    away = is;
  }

  public void healAll() {
    cut.clear();
    away = false;
  }

  /** For a planted bug: earlier writers go on writing. */
  public void fenceNobody() {
    fences = false;
  }

  // ---- who looks at it ----

  /** Called with every entry that lands, in order. */
  public void watch(Consumer<LogEntry> watcher) {
    watchers.add(watcher);
  }

  /** Runs whenever something has landed, for as long as the process lives. */
  void follow(SimProcess process, Runnable reader) {
    readers.add(reader);
    process.onDeath(() -> readers.remove(reader));
  }

  public int size() {
    return entries.size();
  }

  public LogEntry at(int index) {
    return entries.get(index);
  }

  public LogWriter.End end() {
    return end;
  }

  boolean reaches(SimProcess process) {
    return !away && !cut.contains(process);
  }

  // ---- the writer's side ----

  /** Takes the log for a writer of this epoch. The answer is empty when it was refused, or when nobody knows. */
  public void claim(SimProcess from, String epoch, Consumer<Optional<Claimed>> answer) {
    if (!reaches(from) || world.chance(faults.rates().commitLost())) {
      from.after(PATIENCE, () -> answer.accept(Optional.empty()));
      return;
    }
    int sender = from.life();
    world.after(world.between(QUICKEST, USUAL), () -> {
      Optional<Claimed> claimed = past.contains(epoch) ? Optional.empty() : Optional.of(new Claimed(++fence, end));
      from.note(claimed.isEmpty() ? "may not claim the log: another cluster writes there" : "claims the log at " + end.revision());
      back(from, sender, claimed, answer);
    });
  }

  /** All of them or none. The answer is empty when they did not land, or when nobody knows. */
  public void append(SimProcess from, long claimed, List<LogEntry> some, Consumer<Optional<LogWriter.End>> answer) {
    Faults.Rates rates = faults.rates();
    if (!reaches(from) || world.chance(rates.commitLost())) {
      from.note("append is lost");
      from.after(PATIENCE, () -> answer.accept(Optional.empty()));
      return;
    }
    boolean late = world.chance(rates.commitLate());
    int sender = from.life();
    world.after(late ? world.between(USUAL, LATEST) : world.between(QUICKEST, USUAL), () -> {
      boolean lands = claimed == fence || !fences;
      if (lands) {
        land(some);
      } else {
        from.note("is fenced by the log");
      }
      back(from, sender, lands ? Optional.of(end) : Optional.empty(), answer);
    });
  }

  /** Late, or lost: then its writer gives up waiting some time. */
  private <T> void back(SimProcess to, int sender, Optional<T> what, Consumer<Optional<T>> answer) {
    boolean lost = !reaches(to) || world.chance(faults.rates().answerLost());
    Duration delay = lost ? PATIENCE : world.between(QUICKEST, USUAL);
    world.after(delay, () -> to.inLife(sender, () -> answer.accept(lost ? Optional.empty() : what)));
  }

  private void land(List<LogEntry> some) {
    for (LogEntry entry : some) {
      if (!end.epoch().isEmpty() && !entry.epoch().equals(end.epoch())) {
        past.add(end.epoch());
      }
      watchers.forEach(watcher -> watcher.accept(entry));
      entries.add(entry);
      end = switch (entry) {
        case LogEntry.Changes changes -> new LogWriter.End(changes.epoch(), changes.revision(), end.whole(), end.based());
        case LogEntry.Reset reset -> new LogWriter.End(reset.epoch(), reset.revision(), false, Instant.EPOCH);
        case LogEntry.Snapshot part when part.last() -> new LogWriter.End(part.epoch(), part.revision(), true, world.now());
        case LogEntry.Snapshot _ -> end;
      };
    }
    world.note("log", "has " + some.size() + " more entries and ends at " + end.revision() + " of " + end.epoch());
    List.copyOf(readers).forEach(Runnable::run);
  }
}
