package dev.skep.relay.shell;

import dev.skep.backend.Access;
import dev.skep.backend.Backends;
import dev.skep.backend.CompactedException;
import dev.skep.backend.LogEntry;
import dev.skep.backend.LogHistory;
import dev.skep.backend.Store;
import dev.skep.backend.StoreException;
import dev.skep.backend.embedded.StoreFile;
import dev.skep.relay.core.Replay;
import dev.skep.runtime.config.AccessSettings;
import dev.skep.runtime.config.Settings;
import dev.skep.runtime.config.SettingsException;
import dev.skep.runtime.host.CommandThreads;
import dev.skep.runtime.identity.StoreAccess;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * {@code skep replay}: rebuilds the state at a revision from the event log, and compares it with the store. Ends with 0
 * when they agree, 1 when they differ or the log has holes, 2 when there is nothing to compare with, 64 when it was asked
 * wrongly.
 */
public final class ReplayMain {
  private static final int DIFFERENT = 1;
  private static final int NOT_COMPARED = 2;
  private static final int MISUSED = 64;
  private static final int MOST_KEYS = 50;

  /** What is printed, and how the command ends. */
  record Report(String text, int status) {}

  private ReplayMain() {}

  public static void main(String[] args) {
    Report report;
    try {
      Settings settings = Settings.load(Optional.empty(), environment(), List.of(args));
      Place store = store(settings);
      Place log = log(settings, store);
      long to = settings.number("to", Long.MAX_VALUE);
      boolean whole = settings.flag("whole", false);
      settings.refuseUnknown();
      report = replay(store, log, to, whole);
    } catch (SettingsException | IllegalArgumentException e) {
      report = new Report(e.getMessage() + "\n", MISUSED);
    } catch (StoreException e) {
      report = new Report(e.getMessage() + "\n", NOT_COMPARED);
    }
    System.out.print(report.text());
    System.exit(report.status());
  }

  /** A store or a log, and how to reach it. */
  record Place(String uri, Access access) {}

  /** Of this machine's variables those that a relay has, too. */
  private static Map<String, String> environment() {
    Map<String, String> ours = new TreeMap<>(System.getenv());
    ours.keySet().removeIf(name -> !name.matches("SKEP_(DATA|IDENTITY|(STORE|LOG)(_.*)?)"));
    return ours;
  }

  /** A manager's host knows from its identity where store and log are and as whom to go there; what is given wins. */
  static Place store(Settings settings) {
    Path data = settings.path("data", Path.of("/var/lib/skep"));
    Path access = access(settings);
    StoreAccess.complete(settings, access);
    String uri = StoreAccess.hiding(settings.text("store", "embedded:" + data.resolve("store")), access);
    return new Place(uri, AccessSettings.from(settings, "store", Optional.of(access)));
  }

  static Place log(Settings settings, Place store) {
    return new Place(settings.text("log", store.uri()), AccessSettings.from(settings, "log", Optional.of(access(settings))));
  }

  /** As the relay, where it has users of its own. */
  private static Path access(Settings settings) {
    Path data = settings.path("data", Path.of("/var/lib/skep"));
    return StoreAccess.folder(settings.path("identity", data.resolve("identity")), "relay");
  }

  /** @param whole from the log's beginning, and not only from the newest snapshot before the revision */
  static Report replay(Place store, Place log, long to, boolean whole) {
    Replay replay = new Replay();
    try (LogHistory history = Backends.history(log.uri(), log.access())) {
      // The log of a relay shows digests already; the embedded one is the store's own table.
      UnaryOperator<LogEntry> shown = Backends.relayed(log.uri()) ? UnaryOperator.identity() : ReplayMain::shown;
      history.scan(to, whole, entry -> feed(replay, shown.apply(entry)));
    }
    StringBuilder text = new StringBuilder();
    if (replay.records() == 0) {
      return new Report("the log " + log.uri() + " is empty\n", NOT_COMPARED);
    }
    text.append("log     ").append(replay.records()).append(" records, revisions ").append(replay.first()).append(" to ").append(replay.revision())
        .append(replay.epoch().isEmpty() ? "" : ", epoch " + replay.epoch()).append('\n');
    replay.notes().forEach(note -> text.append("note    ").append(note).append('\n'));
    replay.holes().forEach(hole -> text.append("hole    ").append(hole).append('\n'));
    text.append(replay.holes().isEmpty() ? "holes   none\n" : "");
    text.append("state   ").append(replay.rows().size()).append(" rows, sha256 ").append(replay.digest()).append('\n');
    int status = compare(replay, store, text);
    return new Report(text.toString(), status == 0 && !replay.holes().isEmpty() ? DIFFERENT : status);
  }

  private static int compare(Replay replay, Place store, StringBuilder text) {
    if (!replay.known()) {
      text.append("store   not compared: the log has no complete snapshot before this revision, or records are missing after it\n");
      return NOT_COMPARED;
    }
    Store.Snapshot snapshot;
    try {
      snapshot = storeAt(store, replay.revision());
    } catch (CompactedException e) {
      text.append("store   not compared: it has forgotten revision ").append(replay.revision()).append(" (").append(e.getMessage()).append(")\n");
      return NOT_COMPARED;
    }
    List<String> differences = replay.differences(snapshot.entries().stream().map(Shown::entry).toList());
    if (differences.isEmpty()) {
      text.append("store   the same at revision ").append(replay.revision()).append('\n');
      return 0;
    }
    text.append("store   differs at revision ").append(replay.revision()).append(" in ").append(differences.size()).append(" keys\n");
    differences.stream().limit(MOST_KEYS).forEach(key -> text.append("        ").append(key).append('\n'));
    return DIFFERENT;
  }

  /** The embedded store has an owner, beside whom its file may be read. */
  private static Store.Snapshot storeAt(Place place, long revision) {
    if (place.uri().startsWith("embedded:")) {
      try (LogHistory file = Backends.history(place.uri(), place.access())) {
        return ((StoreFile) file).at(revision);
      }
    }
    try (CommandThreads threads = new CommandThreads(); Store store = Backends.store(place.uri(), place.access(), threads::start)) {
      return store.readAt("", revision);
    }
  }

  private static LogEntry shown(LogEntry entry) {
    return switch (entry) {
      case LogEntry.Changes changes -> new LogEntry.Changes(changes.epoch(), changes.revision(), changes.previous(), shown(changes.changes()));
      case LogEntry.Reset reset -> reset;
      case LogEntry.Snapshot snapshot ->
          new LogEntry.Snapshot(snapshot.epoch(), snapshot.revision(), snapshot.part(), snapshot.last(), shown(snapshot.rows()));
    };
  }

  private static List<Store.Change> shown(List<Store.Change> changes) {
    return changes.stream().map(Shown::change).map(Shown::toLog).toList();
  }

  static void feed(Replay replay, LogEntry entry) {
    switch (entry) {
      case LogEntry.Changes changes ->
          replay.changes(changes.epoch(), changes.revision(), changes.previous(), changes.changes().stream().map(Shown::logged).toList());
      case LogEntry.Reset reset -> replay.reset(reset.epoch(), reset.revision(), reset.previous(), Shown.reason(reset.reason()));
      case LogEntry.Snapshot snapshot ->
          replay.snapshot(snapshot.epoch(), snapshot.revision(), snapshot.part(), snapshot.last(), snapshot.rows().stream().map(Shown::logged).toList());
    }
  }
}
