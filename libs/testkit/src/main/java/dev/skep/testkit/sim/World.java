package dev.skep.testkit.sim;

import java.time.Duration;
import java.time.Instant;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Virtual time and everything that will happen in it, in one thread, from one seed. */
public final class World {
  public static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private record Event(long at, long order, Runnable body) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
    }
  }

  private final PriorityQueue<Event> queue = new PriorityQueue<>();
  private final SplittableRandom random;
  private final Trace trace;
  private long nanos;
  private long order;
  private long events;

  public World(long seed, boolean wholeTrace) {
    this.random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + 1);
    this.trace = new Trace(wholeTrace);
  }

  /** The true time. Processes have clocks of their own: {@link SimProcess#now}. */
  public Instant now() {
    return START.plusNanos(nanos);
  }

  public Duration elapsed() {
    return Duration.ofNanos(nanos);
  }

  public RandomGenerator random() {
    return random;
  }

  /** A generator of its own, so that what one part draws does not move what another draws. */
  public RandomGenerator split() {
    return random.split();
  }

  public boolean chance(double probability) {
    return probability > 0 && random.nextDouble() < probability;
  }

  public Duration between(Duration least, Duration most) {
    return Duration.ofNanos(random.nextLong(least.toNanos(), most.toNanos() + 1));
  }

  public Trace trace() {
    return trace;
  }

  public long events() {
    return events;
  }

  public void note(String who, String what) {
    trace.add(elapsed(), who, what);
  }

  public void after(Duration delay, Runnable body) {
    queue.add(new Event(nanos + Math.max(0, delay.toNanos()), order++, body));
  }

  /** Runs what comes next. False when nothing ever will. */
  public boolean step() {
    Event next = queue.poll();
    if (next == null) {
      return false;
    }
    nanos = next.at;
    events++;
    next.body.run();
    return true;
  }

  /** Runs all that happens until then. */
  public void runUntil(Duration elapsed) {
    while (!queue.isEmpty() && queue.peek().at <= elapsed.toNanos()) {
      step();
    }
    nanos = Math.max(nanos, elapsed.toNanos());
  }
}
