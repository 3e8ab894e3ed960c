package dev.skep.relay.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.Rows;
import dev.skep.state.v1.ClusterRow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Three relays, a store and a log that are models: appends land and are not acknowledged, or do not land; the mandate
 * changes at any moment, while a relay believes to have it; the store forgets, and is restored into another epoch. What
 * stands in the log afterwards is the store's history, each revision once, and holes only where the store forgot.
 */
class RelayModelTest {
  private static final Rules RULES = new Rules(Duration.ofSeconds(10), Duration.ofSeconds(60), Duration.ofSeconds(1), Duration.ofSeconds(40), 4, 1_000, Duration.ZERO);
  private static final String CLUSTER = Rows.cluster().path();

  private final List<Consumer<Replay>> log = new ArrayList<>();
  private final List<Moved> history = new ArrayList<>(); // by revision - 1
  private final List<TreeMap<String, Change>> states = new ArrayList<>(List.of(new TreeMap<>())); // by revision
  private LogEnd end = new LogEnd("", 0, false, Instant.EPOCH);
  private long oldest = 1;
  private int fence;
  private int mandate;
  private int epochs;
  private boolean calm;
  private boolean forgot; // by force
  private Instant now = Instant.parse("2026-11-21T12:00:00Z");
  private SplittableRandom random;

  static List<Long> seeds() {
    return java.util.stream.LongStream.rangeClosed(1, 60).boxed().toList();
  }

  private final class Process {
    private final RelayCore core = new RelayCore(RULES);
    private final int id;
    private int mine; // the fence of our claim
    private long next; // of the watch

    private Process(int id) {
      this.id = id;
    }

    private void step() {
      if (core.leading() != (mandate == id) && random.nextInt(3) == 0) { // it learns of it some time
        if (mandate == id) {
          core.mandated();
        } else {
          core.dismissed();
        }
      }
      for (int i = random.nextInt(4); i > 0 && core.watching() && next <= history.size(); i--) {
        if (next < oldest) {
          core.lost();
        } else {
          core.moved(history.get((int) next++ - 1), now);
        }
      }
      core.seen(history.size(), now);
      switch (core.next(now)) {
        case Action.Claim _ -> claim();
        case Action.Watch watch -> next = watch.from();
        case Action.Append append -> write(() -> append.links().forEach(link -> {
          log.add(replay -> replay.changes(append.epoch(), link.moved().revision(), link.previous(), link.moved().changes()));
          end = new LogEnd(append.epoch(), link.moved().revision(), end.whole(), end.based());
        }), () -> core.appended(end, now));
        case Action.Begin begin -> begin(begin);
        case Action.Snapshot snapshot -> {
          if (snapshot.revision() < oldest) {
            core.notAppended(now);
          } else {
            write(() -> snapshot(snapshot.epoch(), snapshot.revision()), () -> core.appended(end, now));
          }
        }
        case Action.Compact compact -> {
          assertThat(compact.revision()).isLessThanOrEqualTo(history.size());
          forgot |= compact.revision() > end.revision();
          oldest = Math.max(oldest, compact.revision());
          core.compacted(compact.revision(), now);
        }
        case Action.Sleep _ -> {
          // time passes anyway
        }
      }
    }

    private void claim() {
      if (mandate != id) {
        core.dismissed();
        return;
      }
      mine = ++fence;
      if (!calm && random.nextInt(5) == 0) {
        core.failed(now);
        return;
      }
      if (!calm && random.nextInt(10) == 0) {
        mandate = random.nextInt(3); // between the claim and the second look, which this relay does not take
      }
      core.claimed(end, epoch(history.size()));
    }

    private void begin(Action.Begin begin) {
      int at = history.size();
      String epoch = epoch(at);
      if (epoch.isEmpty()) {
        core.failed(now);
        return;
      }
      write(() -> {
        log.add(replay -> replay.reset(epoch, at, begin.previous(), begin.reason()));
        end = new LogEnd(epoch, at, false, Instant.EPOCH);
        if (calm || random.nextInt(4) > 0) { // else it dies in the middle of the snapshot
          snapshot(epoch, at);
        }
      }, () -> {
        if (end.whole()) {
          core.began(end, epoch, now);
        } else {
          core.failed(now);
        }
      });
    }

    private void snapshot(String epoch, long revision) {
      List<Change> rows = List.copyOf(states.get((int) revision).values());
      log.add(replay -> replay.snapshot(epoch, revision, 0, true, rows));
      end = new LogEnd(epoch, revision, true, now);
    }

    private void write(Runnable land, Runnable told) {
      if (mine != fence || !calm && random.nextInt(8) == 0) {
        core.failed(now); // fenced, or it did not land
        return;
      }
      land.run();
      if (!calm && random.nextInt(8) == 0) {
        core.failed(now); // it landed, and nobody knows
        return;
      }
      told.run();
    }
  }

  private String epoch(int revision) {
    Change row = states.get(revision).get(CLUSTER);
    return row == null ? "" : RelayCore.epochOf(row.value());
  }

  private void commit() {
    long revision = history.size() + 1;
    TreeMap<String, Change> state = new TreeMap<>(states.getLast());
    List<Change> changes = new ArrayList<>();
    if (revision == 3 || revision > 3 && random.nextInt(60) == 0) {
      changes.add(new Change(CLUSTER, ClusterRow.newBuilder().setEpoch("epoch-" + ++epochs).build().toByteArray(), revision, revision));
    } else {
      String key = "k" + random.nextInt(8);
      boolean delete = state.containsKey(key) && random.nextInt(3) == 0;
      changes.add(new Change(key, delete ? null : new byte[] {(byte) random.nextInt(100)}, revision, revision));
    }
    for (Change change : changes) {
      if (change.value() == null) {
        state.remove(change.key());
      } else {
        state.put(change.key(), change);
      }
    }
    history.add(new Moved(revision, changes));
    states.add(state);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void whateverFailsTheLogIsTheStoresHistory(long seed) {
    random = new SplittableRandom(seed);
    List<Process> relays = List.of(new Process(0), new Process(1), new Process(2));
    for (int i = 0; i < 3_000; i++) {
      now = now.plusMillis(random.nextInt(30));
      switch (random.nextInt(40)) {
        case 0 -> mandate = random.nextInt(3);
        case 1 -> {
          for (int seconds = random.nextInt(90); seconds > 0; seconds--) {
            now = now.plusSeconds(1);
            relays.forEach(relay -> relay.core.seen(history.size(), now));
          }
        }
        case 2, 3, 4, 5, 6, 7 -> commit();
        default -> relays.get(random.nextInt(3)).step();
      }
    }
    calm = true;
    for (int i = 0; i < 500; i++) {
      now = now.plusMillis(100);
      relays.forEach(Process::step);
    }
    Replay replay = new Replay();
    log.forEach(entry -> entry.accept(replay));
    assertThat(replay.known()).as("seed %d", seed).isTrue();
    assertThat(replay.revision()).as("seed %d", seed).isEqualTo(history.size());
    assertThat(replay.differences(states.getLast().values())).as("seed %d", seed).isEmpty();
    assertThat(replay.notes()).as("seed %d", seed).allMatch(note -> note.startsWith("epoch "));
    assertThat(replay.holes()).as("seed %d", seed).noneMatch(hole -> hole.why().contains("nothing says why"));
  }
}
