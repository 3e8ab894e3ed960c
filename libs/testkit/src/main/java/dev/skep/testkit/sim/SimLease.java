package dev.skep.testkit.sim;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** The lease of one life of a process: kept alive, and made anew when it is lost, as the process believes. */
public final class SimLease {
  private static final Duration PERIOD = Duration.ofSeconds(1);
  private static final Duration LOOK = Duration.ofMillis(200);

  private final SimProcess process;
  private final SimStore store;
  private final int life;
  private final List<Runnable> listeners = new ArrayList<>();
  private long id; // 0: none
  private Instant seen; // true time, as of a clock that does not jump
  private Instant asked;

  public SimLease(SimProcess process, SimStore store) {
    this.process = process;
    this.store = store;
    this.life = process.life();
    look();
  }

  /** Runs when it was lost, and when there is another. */
  public void listen(Runnable listener) {
    listeners.add(listener);
  }

  /** Empty while there is none, as far as the process knows. */
  public OptionalLong id() {
    return id != 0 && process.world().now().isBefore(seen.plus(SimLeases.LIFE)) ? OptionalLong.of(id) : OptionalLong.empty();
  }

  private void look() {
    if (id != 0 && id().isEmpty()) {
      process.note("lost its lease " + id);
      id = 0;
      listeners.forEach(Runnable::run);
    }
    Instant now = process.world().now();
    if (id == 0 && (asked == null || now.isAfter(asked.plus(PERIOD)))) {
      asked = now;
      over(() -> {
        long granted = store.leases().grant();
        back(() -> {
          id = granted;
          seen = now;
          listeners.forEach(Runnable::run);
        });
      });
    } else if (id != 0 && now.isAfter(asked.plus(PERIOD))) {
      asked = now;
      renew(id, now);
    }
    process.after(LOOK, this::look);
  }

  private void renew(long which, Instant sent) {
    over(() -> {
      boolean lives = store.leases().renew(which);
      back(() -> {
        if (id == which && lives) {
          seen = sent;
        } else if (id == which) {
          seen = Instant.MIN; // at the next look
        }
      });
    });
  }

  private void back(Runnable body) {
    over(() -> process.inLife(life, body));
  }

  /** There or back: over the network, which may lose it. */
  private void over(Runnable body) {
    if (store.reaches(process) && !process.world().chance(store.rates().commitLost())) {
      process.world().after(process.world().between(Duration.ofNanos(80_000), Duration.ofMillis(2)), body);
    }
  }
}
