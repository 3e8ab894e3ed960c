package dev.skep.skepd.faults;

import java.time.Duration;
import java.util.List;

/** Which faults come, and for how long. */
final class Scenarios {
  /** What happens to a trial. */
  interface Scenario {
    void run(Trial trial) throws Exception;
  }

  private static final Duration MOMENT = Duration.ofMillis(1_500);
  /** Longer than the leases of the control services, 3 s. */
  private static final Duration LEASE = Duration.ofMillis(4_500);
  private static final Duration SHORT = Duration.ofSeconds(10);
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final Duration KAFKA = Duration.ofMinutes(5);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final List<String> LOOPS = List.of("orchestrator", "allocator", "scheduler", "relay", "liveness");

  private Scenarios() {}

  static Scenario of(String name) {
    return switch (name) {
      case "short" -> Scenarios::eachOnce;
      case "etcd" -> Scenarios::etcd;
      case "kafka" -> Scenarios::kafka;
      case "holders" -> Scenarios::holders;
      case "replicas" -> Scenarios::replicas;
      case "disks" -> Scenarios::disks;
      default -> throw new IllegalArgumentException("no scenario " + name);
    };
  }

  /** Each target, each kind of fault; not each with each. */
  private static void eachOnce(Trial trial) throws Exception {
    Plant plant = trial.plant;
    trial.killedHolder("orchestrator", MOMENT);
    trial.frozenHolder("allocator", LEASE);
    trial.cutHolder("scheduler", LEASE);
    trial.restartedHolder("relay");
    trial.killedHolder("liveness", MOMENT);
    trial.frozen(api(plant), MOMENT);
    trial.killed(Part.all("all deciders", plant.of(ServiceMain.DECIDERS)), MOMENT);
    trial.killed(follower(plant), MOMENT);
    trial.frozen(leader(plant), LEASE);
    trial.cut(follower(plant), MOMENT);
    trial.killed(Part.all("all etcd", plant.members), LEASE);
    trial.frozen(broker(plant), LEASE);
    trial.fullDisk("one etcd and Kafka", List.of(plant.follower(), plant.broker), MOMENT);
    trial.clock("all services", plant.replicas, HOUR, MOMENT);
    trial.quota();
  }

  private static Part follower(Plant plant) throws InterruptedException {
    return Part.all("one etcd", List.of(plant.follower()));
  }

  private static Part leader(Plant plant) throws InterruptedException {
    return Part.all("the etcd leader", List.of(plant.leader()));
  }

  private static Part broker(Plant plant) {
    return Part.all("Kafka", List.of(plant.broker));
  }

  private static Part api(Plant plant) {
    return Part.all("one control-api", plant.of("control-api").subList(0, 1));
  }

  private static void all(Trial trial, Part part, Duration outage) throws Exception {
    trial.killed(part, outage);
    trial.frozen(part, outage);
    trial.restarted(part);
    trial.cut(part, outage);
  }

  private static void etcd(Trial trial) throws Exception {
    Plant plant = trial.plant;
    all(trial, follower(plant), SHORT);
    trial.killed(leader(plant), SHORT);
    trial.frozen(leader(plant), SHORT);
    trial.restarted(leader(plant));
    trial.cut(leader(plant), SHORT);
    all(trial, Part.all("all etcd", plant.members), LONG);
  }

  private static void kafka(Trial trial) throws Exception {
    all(trial, broker(trial.plant), LONG);
    trial.killed(broker(trial.plant), KAFKA);
  }

  private static void holders(Trial trial) throws Exception {
    for (String loop : LOOPS) {
      trial.killedHolder(loop, MOMENT);
      trial.frozenHolder(loop, SHORT);
      trial.restartedHolder(loop);
      trial.cutHolder(loop, SHORT);
    }
    all(trial, api(trial.plant), SHORT);
  }

  private static void replicas(Trial trial) throws Exception {
    for (String kind : List.of("orchestrator", "allocator", "scheduler", "relay", "dispatcher", "control-api")) {
      all(trial, Part.all("all of " + kind + "'s replicas", trial.plant.of(kind)), SHORT);
    }
  }

  private static void disks(Trial trial) throws Exception {
    Plant plant = trial.plant;
    trial.fullDisk("one etcd", List.of(plant.follower()), LONG);
    trial.fullDisk("etcd's leader", List.of(plant.leader()), LONG);
    trial.fullDisk("all etcd", plant.members, LONG);
    trial.fullDisk("Kafka", List.of(plant.broker), LONG);
    trial.quota();
    for (Duration ahead : List.of(HOUR, HOUR.negated())) {
      trial.clock("all services", plant.replicas, ahead, LONG);
      for (String loop : LOOPS) {
        trial.clock(loop + "'s holder", List.of(plant.holder(loop)), ahead, SHORT);
      }
    }
  }
}
