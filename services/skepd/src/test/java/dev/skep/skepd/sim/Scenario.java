package dev.skep.skepd.sim;

import dev.skep.testkit.sim.Faults.Rates;
import java.time.Duration;
import java.util.SplittableRandom;

/**
 * What kind of cluster and how bad a day a seed means.
 *
 * @param together all control services in one process, as on one machine; else one process each, loops with a standby
 * @param subnetBits prefix length of subnets from the cluster's pool: long ones make addresses scarce
 * @param trouble mean time between two faults
 */
public record Scenario(
    long seed, int nodes, boolean together, int subnetBits, int history, Rates rates, Duration trouble, Duration requests, Duration faultTime) {

  public static Scenario of(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Rates rates = switch (random.nextInt(6)) {
      case 0 -> Rates.CALM;
      case 1, 2, 3 -> Rates.ROUGH;
      default -> Rates.STORM;
    };
    return new Scenario(
        seed,
        1 + random.nextInt(3),
        random.nextInt(3) > 0,
        26 + random.nextInt(3),
        random.nextInt(4),
        rates,
        Duration.ofMillis(random.nextInt(300, 2500)),
        Duration.ofMillis(random.nextInt(200, 1500)),
        Duration.ofSeconds(random.nextInt(8, 30)));
  }
}
