package dev.skep.skepd.faults;

import dev.skep.skepd.faults.User.Outcome;
import dev.skep.skepd.faults.User.Write;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** Users at work on a plant, faults that come one after the other, and what is looked at after each. */
final class Trial implements AutoCloseable {
  /** What a person does who has waited this long. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int USERS = 2;
  private static final String NETWORK =
      "{\"Name\":\"net\",\"Driver\":\"overlay\",\"CheckDuplicate\":true,\"IPAM\":{\"Driver\":\"default\",\"Config\":[]},\"Options\":{},\"Labels\":{}}";
  private static final String STEADY = "{\"Name\":\"steady\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"busybox:0\"}},\"Mode\":{\"Replicated\":"
      + "{\"Replicas\":6}}}";

  final Plant plant;
  private final List<User> users = new ArrayList<>();
  private final Checks checks;

  Trial(Plant plant, long seed) {
    this.plant = plant;
    List<Api> apis = plant.apis(PATIENCE);
    made(apis.getFirst(), "/networks/create", NETWORK);
    made(apis.getFirst(), "/services/create", STEADY);
    for (int i = 0; i < USERS; i++) {
      users.add(new User("u" + i + "x", apis, seed + i));
    }
    checks = new Checks(plant, users);
    checks.converged("the first services");
    checks.keepSteady("steady");
    users.forEach(user -> Thread.ofPlatform().daemon().name("user").start(user));
  }

  /** Asks again while nobody answers: a machine may be so busy that etcd is late. */
  private static void made(Api api, String path, String what) {
    AtomicReference<Api.Answer> last = new AtomicReference<>();
    Plant.await(() -> path + " is done; it said " + last.get(), () -> {
      last.set(api.call("POST", path, what));
      return last.get().done() || last.get().status() == 409; // by a try before, whose answer was lost
    });
  }

  /** kill -9, and started again after a while. */
  void killed(Part part, Duration outage) throws Exception {
    fault(part.name() + " killed", "", outage, part::kill, part::begin);
  }

  /** The same of a loop's holder. */
  void killedHolder(String loop, Duration outage) throws Exception {
    Part holder = plant.holder(loop);
    fault(loop + "'s holder killed", loop, outage, holder::kill, holder::begin);
  }

  void frozenHolder(String loop, Duration outage) throws Exception {
    Part holder = plant.holder(loop);
    fault(loop + "'s holder frozen", loop, outage, holder::freeze, holder::thaw);
  }

  void cutHolder(String loop, Duration outage) throws Exception {
    Part holder = plant.holder(loop);
    fault(loop + "'s holder cut off", loop, outage, holder::cut, holder::mend);
  }

  void restartedHolder(String loop) throws Exception {
    Part holder = plant.holder(loop);
    fault(loop + "'s holder restarted", loop, Duration.ZERO, holder::stop, holder::begin);
  }

  void restarted(Part part) throws Exception {
    fault(part.name() + " restarted", "", Duration.ZERO, part::stop, part::begin);
  }

  void frozen(Part part, Duration outage) throws Exception {
    fault(part.name() + " frozen", "", outage, part::freeze, part::thaw);
  }

  void cut(Part part, Duration outage) throws Exception {
    fault(part.name() + " cut off", "", outage, part::cut, part::mend);
  }

  /** Their disks are full for a while; whoever ended for that is started again. */
  void fullDisk(String what, List<Part> parts, Duration outage) throws Exception {
    try (Supervisor supervisor = new Supervisor(plant, parts)) {
      fault("full disk under " + what, "", outage, () -> {
        for (Part part : parts) {
          plant.disk(part).fill();
        }
      }, () -> {
        for (Part part : parts) {
          plant.disk(part).free();
        }
        supervisor.begin();
      });
    }
  }

  /** Wall clocks jump and stay so for a while, and jump back. */
  void clock(String what, List<Replica> whose, Duration ahead, Duration outage) throws Exception {
    fault("clock of " + what + " " + (ahead.isNegative() ? "" : "+") + ahead.toMinutes() + " min", "", outage, () -> {
      for (Replica replica : whose) {
        replica.clock(ahead);
      }
    }, () -> {
      for (Replica replica : whose) {
        replica.clock(Duration.ZERO);
      }
    });
  }

  /** etcd is full of the history of a service with large labels; somebody makes room as docs/FAULTS.md says. */
  void quota() throws Exception {
    Glutton glutton = new Glutton(plant.apis(PATIENCE).getFirst());
    fault("etcd at its quota", "", Duration.ofMillis(1_500), glutton::fill, () -> {
      glutton.end();
      long at = plant.history.last();
      Plant.await("revision " + at + " is in the log", () -> plant.relayed() >= at);
      etcdctl(plant.etcd.endpoints().getFirst(), "compact", Long.toString(at));
      for (String endpoint : plant.etcd.endpoints()) {
        etcdctl(endpoint, "defrag");
      }
      etcdctl(plant.etcd.endpoints().getFirst(), "alarm", "disarm");
    });
  }

  private static void etcdctl(String endpoint, String... words) throws Exception {
    List<String> command = new ArrayList<>(List.of("env", "ETCDCTL_API=3", "etcdctl", "--endpoints", endpoint));
    command.addAll(List.of(words));
    Shell.run(command.toArray(String[]::new));
  }

  /**
   * One fault under load, its end, and all checks.
   *
   * @param loop whose next decision is of interest; empty: none
   */
  void fault(String what, String loop, Duration outage, Part.Act inject, Part.Act heal) throws Exception {
    long began = System.nanoTime();
    inject.run();
    long injected = System.nanoTime();
    LockSupport.parkNanos(outage.toNanos());
    heal.run();
    long healed = System.nanoTime();
    for (User user : users) {
      Plant.await("writes are acknowledged again after: " + what, () -> user.writes().stream()
          .filter(write -> write.outcome() == Outcome.ACKNOWLEDGED && write.began() - healed > 0).count() >= 2);
    }
    users.forEach(User::rest);
    checks.converged(what);
    long calm = System.nanoTime();
    figures(what, loop, began, injected, healed, calm);
    plant.awaitHealthy();
    users.forEach(User::goOn);
  }

  private void figures(String what, String loop, long began, long injected, long healed, long calm) {
    List<Write> during = users.stream().flatMap(user -> user.writes().stream())
        .filter(write -> write.ended() - began > 0 && write.began() - calm < 0).toList();
    long longest = during.stream().filter(write -> write.outcome() == Outcome.ACKNOWLEDGED).mapToLong(write -> write.ended() - write.began()).max().orElse(0);
    Map<String, Integer> said = new TreeMap<>();
    during.stream().filter(write -> write.outcome() != Outcome.ACKNOWLEDGED)
        .forEach(write -> said.merge(write.outcome() + " after " + ms(write.ended() - write.began()) / 1000 + " s: " + write.said(), 1, Integer::sum));
    String decided = loop.isEmpty() || plant.history.decidedAfter(loop, injected) == 0
        ? "" : ", decided again after " + ms(plant.history.decidedAfter(loop, injected) - began) + " ms";
    System.out.printf("FIGURE %s: broken for %d ms; %d writes, the slowest acknowledged one %d ms, longest without one %d ms%s; at rest %d ms after"
        + " it was over; create to running at most %d ms%n", what, ms(healed - began), during.size(), ms(longest), ms(gap(during, began, calm)), decided,
        ms(calm - healed), checks.slowestCreate(during));
    said.forEach((text, times) -> System.out.printf("       %d x %s%n", times, text));
  }

  private static long gap(List<Write> writes, long began, long calm) {
    List<Long> times = new ArrayList<>(List.of(began));
    writes.stream().filter(write -> write.outcome() == Outcome.ACKNOWLEDGED).forEach(write -> times.add(write.ended()));
    times.sort((a, b) -> Long.signum(a - b));
    long longest = 0;
    for (int i = 1; i < times.size(); i++) {
      longest = Math.max(longest, times.get(i) - times.get(i - 1));
    }
    return longest;
  }

  static long ms(long nanos) {
    return nanos / 1_000_000;
  }

  /** Everything that was ever acknowledged, every container, every revision, and the log. */
  void judge() throws Exception {
    users.forEach(User::rest);
    checks.converged("the end");
    checks.whole();
    users.forEach(User::goOn);
  }

  @Override
  public void close() {
    users.forEach(User::stop);
  }
}
