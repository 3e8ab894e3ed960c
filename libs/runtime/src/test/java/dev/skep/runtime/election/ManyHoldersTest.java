package dev.skep.runtime.election;

import static org.assertj.core.api.Assertions.assertThat;

import dev.skep.state.ClusterState;
import dev.skep.state.ClusterState.Stored;
import dev.skep.state.Rows;
import dev.skep.state.v1.LeaderRow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Some processes that watch each other in virtual time, some of them at addresses that lead nowhere or to another: a
 * killed holder is replaced at once, and loops are not taken from the living for ever.
 */
class ManyHoldersTest {
  private static final int SEEDS = 300;
  private static final List<String> LOOPS = List.of("a", "b");
  private static final long LEASE = Duration.ofSeconds(3).toMillis();
  private static final long QUIET = Duration.ofSeconds(60).toMillis();
  private static final long SOON = 500;

  /** Where an address leads. */
  private enum Way { RIGHT, REFUSED, ANOTHER, SILENT }

  private record Planned(long at, long order, Runnable body) {}

  private record Held(String holder, int place, long revision) {}

  private final class Call implements AutoCloseable {
    private final Process from;
    private final String to;
    private final Holders.Line line;
    private boolean over;

    private Call(Process from, String to, Holders.Line line) {
      this.from = from;
      this.to = to;
      this.line = line;
    }

    private void tell(Runnable what) {
      if (!over && from.alive) {
        what.run();
      }
    }

    private void end(boolean refused) {
      tell(() -> {
        over = true;
        line.ended(refused);
      });
    }

    @Override
    public void close() {
      over = true;
    }
  }

  /** One life of the process at a place. */
  private final class Process {
    private final int place;
    private final String id;
    private final Holders holders;
    private ClusterState state;
    private boolean alive = true;
    private long heard; // its view is in order: when its last news comes

    private Process(int place) {
      this.place = place;
      this.id = place + "-" + ++lives;
      this.state = ClusterState.empty();
      holders = new Holders(id, this::call, this::later, () -> after(0, this::campaign));
      apply(revision, rows());
      LOOPS.forEach(loop -> holders.loop(loop, state));
      after(1, this::campaign);
    }

    private AutoCloseable later(Duration delay, Runnable body) {
      boolean[] cancelled = {false};
      after(delay.toMillis(), () -> {
        if (alive && !cancelled[0]) {
          body.run();
        }
      });
      return () -> cancelled[0] = true;
    }

    private AutoCloseable call(String address, Holders.Line line) {
      int asked = Integer.parseInt(address);
      Way way = ways[place][asked];
      Process there = processes[way == Way.ANOTHER ? (asked + 1) % processes.length : asked];
      Call call = new Call(this, there.id, line);
      calls.add(call);
      if (way != Way.SILENT) {
        after(1 + random.nextInt(10), () -> {
          if (way == Way.REFUSED || !there.alive) {
            call.end(true);
          } else {
            call.tell(() -> line.told(there.id));
          }
        });
      }
      return call;
    }

    private void moved(List<Stored> rows) {
      heard = Math.max(heard, now + 1 + random.nextInt(20));
      long to = revision;
      at(heard, () -> {
        if (alive) {
          ClusterState.Step step = apply(to, rows);
          holders.moved(state, step.changes(), false);
          campaign();
        }
      });
    }

    private ClusterState.Step apply(long to, List<Stored> rows) {
      ClusterState.Step step = state.apply(to, rows);
      state = step.state();
      return step;
    }

    private void campaign() {
      for (String loop : LOOPS) {
        var row = state.row(Rows.LEADER.key(loop));
        if (alive && (row == null || !row.value().getHolder().equals(id) && holders.gone(row.value().getHolder()))) {
          take(this, loop, row == null ? 0 : row.modRevision());
        }
      }
    }

    private void kill() {
      alive = false;
      holders.close();
      List.copyOf(calls).stream().filter(call -> call.to.equals(id)).forEach(call -> after(1, () -> call.end(false)));
      after(LEASE, () -> LOOPS.stream().filter(loop -> held.containsKey(loop) && held.get(loop).holder.equals(id)).forEach(loop -> {
        held.remove(loop);
        revision++;
        publish(List.of(new Stored(Rows.LEADER.key(loop).path(), null, revision, revision)));
      }));
    }
  }

  private final PriorityQueue<Planned> plan = new PriorityQueue<>(Comparator.comparingLong(Planned::at).thenComparingLong(Planned::order));
  private final Map<String, Held> held = new HashMap<>();
  private final List<Call> calls = new ArrayList<>();
  private final Set<String> mistakes = new HashSet<>(); // who took which loop from which living holder
  private SplittableRandom random;
  private Way[][] ways; // by caller and called
  private Process[] processes;
  private long now;
  private long order;
  private long revision;
  private long lives;
  private long taken; // when a loop was taken last

  private void after(long delay, Runnable body) {
    at(now + delay, body);
  }

  private void at(long time, Runnable body) {
    plan.add(new Planned(time, order++, body));
  }

  private void run(long until) {
    while (!plan.isEmpty() && plan.peek().at <= until) {
      Planned next = plan.poll();
      now = next.at;
      next.body.run();
      calls.removeIf(call -> call.over);
    }
    now = until;
  }

  private List<Stored> rows() {
    return held.entrySet().stream().map(one -> stored(one.getKey(), one.getValue())).toList();
  }

  private static Stored stored(String loop, Held row) {
    byte[] bytes = LeaderRow.newBuilder().setHolder(row.holder).setAddress(Integer.toString(row.place)).build().toByteArray();
    return new Stored(Rows.LEADER.key(loop).path(), bytes, row.revision, row.revision);
  }

  private void take(Process taker, String loop, long seen) {
    Held before = held.get(loop);
    if ((before == null ? 0 : before.revision) != seen) {
      return;
    }
    if (before != null && processes[before.place].alive && processes[before.place].id.equals(before.holder)) {
      assertThat(mistakes.add(loop + ": " + taker.id + " from " + before.holder)).as("once at most").isTrue();
    }
    Held row = new Held(taker.id, taker.place, ++revision);
    held.put(loop, row);
    taken = now;
    publish(List.of(stored(loop, row)));
  }

  private void publish(List<Stored> rows) {
    for (Process process : processes) {
      if (process != null && process.alive) {
        process.moved(rows);
      }
    }
  }

  @Test
  void aKilledHolderIsReplacedAtOnceAndNoLoopGoesToAndFroForEver() {
    for (int seed = 0; seed < SEEDS; seed++) {
      try {
        history(seed);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
  }

  private void history(int seed) {
    random = new SplittableRandom(seed);
    plan.clear();
    held.clear();
    calls.clear();
    mistakes.clear();
    now = 0;
    revision = 0;
    boolean right = random.nextBoolean(); // all addresses
    int count = 2 + random.nextInt(3);
    ways = new Way[count][count];
    for (Way[] from : ways) {
      for (int to = 0; to < count; to++) {
        from[to] = right ? Way.RIGHT : Way.values()[random.nextInt(Way.values().length)];
      }
    }
    processes = new Process[count];
    for (int place = 0; place < count; place++) {
      processes[place] = new Process(place);
    }
    for (int step = 0; step < 40; step++) {
      run(now + random.nextInt(1 + random.nextInt(3000)));
      chaos(right);
    }
    for (int place = 0; place < count; place++) {
      start(place);
    }
    run(now + QUIET);
    assertThat(now - taken).as("who holds the loops, holds them").isGreaterThan(QUIET / 2);
    assertThat(held).hasSize(LOOPS.size());
    if (right) {
      assertThat(mistakes).isEmpty();
      killOneAfterTheOther();
    }
  }

  private void chaos(boolean right) {
    int place = random.nextInt(processes.length);
    switch (random.nextInt(4)) {
      case 0 -> processes[place].kill();
      case 1 -> start(place);
      case 2 -> {
        processes[place].kill();
        start(place);
      }
      default -> {
        calls.stream().filter(call -> random.nextBoolean()).toList().forEach(call -> after(1, () -> call.end(false)));
        run(now + SOON); // one that breaks twice in a row counts as the holder's end
      }
    }
    if (!right && random.nextInt(10) == 0) {
      ways[random.nextInt(processes.length)][place] = Way.values()[random.nextInt(Way.values().length)];
      mistakes.clear(); // who answered before may be mistaken for gone now
    }
  }

  private void start(int place) {
    if (!processes[place].alive) {
      processes[place] = new Process(place);
    }
  }

  /** Each right after it took over, or before anybody has called it; the last one alive has the loops. */
  private void killOneAfterTheOther() {
    for (int left = processes.length; left > 1; left--) {
      Process holder = processes[held.get(LOOPS.get(random.nextInt(LOOPS.size()))).place];
      holder.kill();
      run(now + (left == 2 ? SOON : random.nextInt((int) SOON)));
    }
    for (String loop : LOOPS) {
      assertThat(processes[held.get(loop).place].alive).as(loop + " is held by a living process").isTrue();
    }
  }
}
