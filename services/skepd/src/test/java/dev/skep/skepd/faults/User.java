package dev.skep.skepd.faults;

import dev.skep.skepd.faults.Api.Answer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Creates, scales, updates and removes services, each time through any of the control-apis, and remembers what was
 * acknowledged. What became of a write without an answer nobody knows: its service is left alone from then on.
 */
final class User implements Runnable {
  /** How a write ended. */
  enum Outcome {
    ACKNOWLEDGED,
    /** Nobody took the call, or it was refused: it has not happened. */
    REFUSED,
    UNKNOWN
  }

  record Write(long began, long ended, String what, String service, Outcome outcome, String said) {}

  /** What was acknowledged of a service. */
  record Wish(int replicas, int version) {}

  private static final Duration PACE = Duration.ofMillis(150);
  private static final int MOST_SERVICES = 5;
  private static final int MOST_REPLICAS = 3;
  private static final String SPEC = "{\"Name\":\"%s\",\"Labels\":{\"version\":\"%d\"},\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"busybox:%d\"}%s},"
      + "\"Mode\":{\"Replicated\":{\"Replicas\":%d}}}";

  private final String name;
  private final List<Api> apis;
  private final Random random;
  private final Map<String, Wish> wishes = new TreeMap<>(); // guarded by this, as all below
  private final List<String> removed = new ArrayList<>();
  private final List<String> unsure = new ArrayList<>();
  private final List<Write> writes = new ArrayList<>();
  private final List<String> violations = new ArrayList<>();
  private boolean wanted = true;
  private boolean busy;
  private boolean over;
  private int created;

  User(String name, List<Api> apis, long seed) {
    this.name = name;
    this.apis = apis;
    this.random = new Random(seed);
  }

  @Override
  public void run() {
    while (begin()) {
      act();
      end();
      LockSupport.parkNanos(PACE.toNanos());
    }
  }

  private synchronized boolean begin() {
    while (!wanted && !over) {
      await();
    }
    busy = !over;
    return busy;
  }

  private synchronized void end() {
    busy = false;
    notifyAll();
  }

  private void await() {
    try {
      wait();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Returns when no write is under way. */
  synchronized void rest() {
    wanted = false;
    while (busy) {
      await();
    }
  }

  synchronized void goOn() {
    wanted = true;
    notifyAll();
  }

  synchronized void stop() {
    over = true;
    notifyAll();
  }

  private Api any() {
    return apis.get(random.nextInt(apis.size()));
  }

  private void act() {
    List<String> known = new ArrayList<>(wishes().keySet());
    int dice = random.nextInt(100);
    if (known.size() < 2 || dice < 30 && known.size() < MOST_SERVICES) {
      create();
      return;
    }
    String service = known.get(random.nextInt(known.size()));
    Wish wish = wishes().get(service);
    if (dice < 55) {
      update("scale", service, new Wish(1 + random.nextInt(MOST_REPLICAS), wish.version));
    } else if (dice < 75) {
      update("update", service, new Wish(wish.replicas, wish.version + 1));
    } else {
      long began = System.nanoTime();
      settle(began, "remove", service, null, any().call("DELETE", "/services/" + service, ""));
    }
  }

  private void create() {
    String service = name + created++;
    Wish wish = new Wish(1 + random.nextInt(MOST_REPLICAS), 0);
    long began = System.nanoTime();
    settle(began, "create", service, wish, any().call("POST", "/services/create", spec(service, wish)));
  }

  private static String spec(String service, Wish wish) {
    boolean networked = service.hashCode() % 2 == 0;
    return SPEC.formatted(service, wish.version, wish.version, networked ? ",\"Networks\":[{\"Target\":\"net\"}]" : "", wish.replicas);
  }

  private void update(String what, String service, Wish wish) {
    long began = System.nanoTime();
    Answer now = any().call("GET", "/services/" + service, "");
    if (!now.done()) {
      if (now.status() == 404) {
        violated("the acknowledged service " + service + " is not found: " + now.body());
      }
      note(new Write(began, System.nanoTime(), "read", service, Outcome.REFUSED, now.status() + " " + now.body()));
      return;
    }
    String version = now.body().replaceFirst("(?s).*\"Version\":\\{\"Index\":(\\d+).*", "$1");
    settle(began, what, service, wish, any().call("POST", "/services/" + service + "/update?version=" + version, spec(service, wish)));
  }

  private synchronized void settle(long began, String what, String service, Wish wish, Answer answer) {
    Outcome outcome = answer.done() ? Outcome.ACKNOWLEDGED
        : answer.status() == Answer.NOT_TAKEN || answer.status() >= 400 && answer.status() < 500 || answer.body().contains("the store is full")
            ? Outcome.REFUSED : Outcome.UNKNOWN;
    note(new Write(began, System.nanoTime(), what, service, outcome, answer.done() ? "" : answer.status() + " " + answer.body()));
    if (answer.status() >= 400 && answer.status() < 500) {
      violated(what + " of " + service + " was refused: " + answer.status() + " " + answer.body()); // it asks for nothing wrong
    }
    switch (outcome) {
      case ACKNOWLEDGED -> {
        if (wish == null) {
          wishes.remove(service);
          removed.add(service);
        } else {
          wishes.put(service, wish);
        }
      }
      case UNKNOWN -> {
        wishes.remove(service);
        unsure.add(service);
      }
      case REFUSED -> { } // nothing has changed
    }
  }

  private synchronized void note(Write write) {
    writes.add(write);
  }

  private synchronized void violated(String what) {
    violations.add(what);
  }

  /** By service: what must be. */
  synchronized Map<String, Wish> wishes() {
    return new TreeMap<>(wishes);
  }

  /** Services that must not be. */
  synchronized List<String> removed() {
    return List.copyOf(removed);
  }

  synchronized List<Write> writes() {
    return List.copyOf(writes);
  }

  synchronized List<String> violations() {
    return List.copyOf(violations);
  }
}
