package dev.skep.testkit.sim;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A process: it lives, dies with everything that it knew, and lives again. What it planned dies with it. It can also
 * stand still for a while (a long collection, a stopped machine) and then go on as if nothing had happened.
 */
public final class SimProcess {
  private final World world;
  private final String name;
  private final List<Consumer<SimProcess>> boots = new ArrayList<>();
  private final List<Runnable> deaths = new ArrayList<>();
  private int life;
  private boolean alive;
  private boolean retired;
  private Instant stillUntil = Instant.MIN;
  private Duration stoodStill = Duration.ZERO;
  private Duration skew = Duration.ZERO;

  public SimProcess(World world, String name) {
    this.world = world;
    this.name = name;
  }

  public String name() {
    return name;
  }

  public World world() {
    return world;
  }

  public boolean alive() {
    return alive;
  }

  /** Counts its lives: a message for an earlier one is lost. */
  public int life() {
    return life;
  }

  /** Runs at every start, in the order given. */
  public SimProcess onStart(Consumer<SimProcess> boot) {
    boots.add(boot);
    return this;
  }

  /** Runs when it dies: for those who watch the connection, not for itself. */
  public void onDeath(Runnable body) {
    deaths.add(body);
  }

  /** It dies, and nobody starts it again. */
  public void retire() {
    crash();
    retired = true;
  }

  public void start() {
    if (alive || retired) {
      return;
    }
    alive = true;
    life++;
    note("starts");
    boots.forEach(boot -> boot.accept(this));
  }

  public void crash() {
    if (!alive) {
      return;
    }
    note("dies");
    alive = false;
    life++;
    List<Runnable> told = List.copyOf(deaths);
    deaths.clear();
    told.forEach(Runnable::run);
  }

  public void standStill(Duration time) {
    note("stands still for " + time.toMillis() + " ms");
    Instant from = world.now().isBefore(stillUntil) ? stillUntil : world.now();
    Instant until = world.now().plus(time);
    if (until.isAfter(from)) {
      stoodStill = stoodStill.plus(Duration.between(from, until));
      stillUntil = until;
    }
  }

  public boolean standsStill() {
    return world.now().isBefore(stillUntil);
  }

  /** How long it could do anything, since the world began. */
  public Duration awake() {
    Duration ahead = standsStill() ? Duration.between(world.now(), stillUntil) : Duration.ZERO;
    return world.elapsed().minus(stoodStill).plus(ahead);
  }

  /** Its own wall clock. */
  public Instant now() {
    return world.now().plus(skew);
  }

  public Duration skew() {
    return skew;
  }

  public void setSkew(Duration skew) {
    note("clock is off by " + skew.toMillis() + " ms");
    this.skew = skew;
  }

  public void note(String what) {
    world.note(name, what);
  }

  /** Runs in this process, unless it has died by then; later if it stands still. */
  public void after(Duration delay, Runnable body) {
    int planned = life;
    world.after(delay, () -> inLife(planned, body));
  }

  /** The body, bound to this life: an answer that comes after its death finds nobody. */
  public <T> Consumer<T> mine(Consumer<T> body) {
    int bound = life;
    return value -> inLife(bound, () -> body.accept(value));
  }

  /** The same for a body without a value. */
  public Runnable bound(Runnable body) {
    int bound = life;
    return () -> inLife(bound, body);
  }

  void inLife(int planned, Runnable body) {
    if (!alive || life != planned) {
      return;
    }
    if (world.now().isBefore(stillUntil)) {
      world.after(Duration.between(world.now(), stillUntil), () -> inLife(planned, body));
      return;
    }
    body.run();
  }
}
