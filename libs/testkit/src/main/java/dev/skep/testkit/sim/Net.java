package dev.skep.testkit.sim;

import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Messages between processes: slow, lost, doubled, or cut off. */
public final class Net {
  private static final Duration QUICKEST = Duration.ofNanos(100_000);
  private static final Duration USUAL = Duration.ofMillis(3);
  private static final Duration SLOW = Duration.ofMillis(900);
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final World world;
  private final Faults faults;
  private final Set<String> cut = new HashSet<>();

  public Net(World world, Faults faults) {
    this.world = world;
    this.faults = faults;
  }

  public void cut(SimProcess one, SimProcess other) {
    world.note("net", one.name() + " and " + other.name() + " are cut off from each other");
    cut.add(pair(one, other));
  }

  public void heal(SimProcess one, SimProcess other) {
    if (cut.remove(pair(one, other))) {
      world.note("net", one.name() + " and " + other.name() + " hear each other again");
    }
  }

  public void healAll() {
    cut.clear();
  }

  public boolean connected(SimProcess one, SimProcess other) {
    return one.alive() && other.alive() && !cut.contains(pair(one, other));
  }

  private static String pair(SimProcess one, SimProcess other) {
    return one.name().compareTo(other.name()) < 0 ? one.name() + "|" + other.name() : other.name() + "|" + one.name();
  }

  Duration delay() {
    return world.chance(faults.rates().messageSlow()) ? world.between(USUAL, SLOW) : world.between(QUICKEST, USUAL);
  }

  boolean loses() {
    return world.chance(faults.rates().messageLost());
  }

  /** A datagram, or a call whose answer nobody waits for. */
  public void send(SimProcess from, SimProcess to, Runnable body) {
    if (!connected(from, to) || loses()) {
      return;
    }
    int life = to.life();
    world.after(delay(), () -> to.inLife(life, body));
    if (world.chance(faults.rates().messageTwice())) {
      world.after(delay(), () -> to.inLife(life, body));
    }
  }

  /** A call. The answer is empty when none came: the call may have been carried out, also twice, also later. */
  public <R> void call(SimProcess from, SimProcess to, Supplier<R> body, Consumer<Optional<R>> answer) {
    boolean[] over = new boolean[1];
    Consumer<Optional<R>> once = result -> {
      if (!over[0]) {
        over[0] = true;
        answer.accept(result);
      }
    };
    from.after(PATIENCE, () -> once.accept(Optional.empty()));
    send(from, to, () -> {
      R result = body.get();
      send(to, from, () -> once.accept(Optional.of(result)));
    });
  }

  /** An ordered stream from one process to another, which breaks when a message is lost or an end dies. */
  public <T> Stream<T> open(SimProcess from, SimProcess to, Consumer<T> receiver, Runnable broken) {
    return new Stream<>(this, from, to, receiver, broken);
  }

  /** One direction of a connection. */
  public static final class Stream<T> {
    private final Net net;
    private final SimProcess from;
    private final SimProcess to;
    private final int fromLife;
    private final int toLife;
    private final Consumer<T> receiver;
    private final Runnable broken;
    private Duration last = Duration.ZERO;
    private boolean closed;

    private Stream(Net net, SimProcess from, SimProcess to, Consumer<T> receiver, Runnable broken) {
      this.net = net;
      this.from = from;
      this.to = to;
      this.fromLife = from.life();
      this.toLife = to.life();
      this.receiver = receiver;
      this.broken = broken;
      from.onDeath(this::breakOff);
    }

    /** False when it broke: the receiver learns it a little later. */
    public boolean send(T message) {
      if (closed) {
        return false;
      }
      if (!net.connected(from, to) || from.life() != fromLife || to.life() != toLife || net.loses()) {
        breakOff();
        return false;
      }
      Duration arrival = net.world.elapsed().plus(net.delay());
      last = arrival.compareTo(last) > 0 ? arrival : last;
      net.world.after(last.minus(net.world.elapsed()), () -> {
        if (!closed) {
          to.inLife(toLife, () -> receiver.accept(message));
        }
      });
      return true;
    }

    public boolean open() {
      return !closed;
    }

    /** Ended by the receiver: nothing more arrives. */
    public void close() {
      closed = true;
    }

    public void breakOff() {
      if (!closed) {
        closed = true;
        net.world.after(net.delay(), () -> to.inLife(toLife, broken));
      }
    }
  }
}
