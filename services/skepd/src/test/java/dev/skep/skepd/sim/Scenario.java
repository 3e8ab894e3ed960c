package dev.skep.skepd.sim;

import dev.skep.testkit.sim.Faults.Rates;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * What kind of cluster and how bad a day a seed means.
 *
 * @param form how the control services are spread over processes
 * @param subnetBits prefix length of subnets from the cluster's pool: long ones make addresses scarce
 * @param trouble mean time between two faults
 * @param turns what else happens on this day, beside faults and requests
 */
public record Scenario(
    long seed, int nodes, Form form, int subnetBits, int history, Rates rates, Duration trouble, Duration requests, Duration faultTime,
    Set<Turn> turns) {

  /** How control services are spread over processes. */
  public enum Form {
    /** All in one, on a store of its own. */
    ONE_MACHINE,
    /** One process each, two of every service; those that only decide follow the log. */
    ONE_EACH,
    /** Several processes with all of them. */
    MANAGERS
  }

  /** What a day may bring. */
  public enum Turn {
    /** Machines join, leave, are wiped, come back, and are removed. */
    NODES_COME_AND_GO,
    /** The store is lost, and an older copy takes its place. */
    STORE_RESTORED,
    /** The one manager's store is copied to a shared one, and more managers join. */
    MIGRATED,
    /** No manager for up to an hour, while machines reboot. */
    MANAGER_AWAY
  }

  private static Set<Turn> turns(SplittableRandom random, Form form) {
    Set<Turn> turns = EnumSet.noneOf(Turn.class);
    if (random.nextInt(5) < 2) {
      turns.add(Turn.NODES_COME_AND_GO);
    }
    if (random.nextInt(6) == 0) {
      turns.add(Turn.STORE_RESTORED);
    }
    if (random.nextInt(12) == 0) {
      turns.add(Turn.MANAGER_AWAY);
    }
    if (form == Form.ONE_MACHINE && random.nextInt(4) == 0) {
      turns.add(Turn.MIGRATED);
    }
    return turns;
  }

  boolean has(Turn turn) {
    return turns.contains(turn);
  }

  public static Scenario of(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Rates rates = switch (random.nextInt(6)) {
      case 0 -> Rates.CALM;
      case 1, 2, 3 -> Rates.ROUGH;
      default -> Rates.STORM;
    };
    Form form = switch (random.nextInt(5)) {
      case 0, 1 -> Form.ONE_MACHINE;
      case 2, 3 -> Form.ONE_EACH;
      default -> Form.MANAGERS;
    };
    Set<Turn> turns = turns(random, form);
    return new Scenario(
        seed,
        1 + random.nextInt(3),
        form,
        26 + (turns.contains(Turn.NODES_COME_AND_GO) ? 0 : random.nextInt(3)), // more nodes need more addresses
        random.nextInt(4),
        rates,
        Duration.ofMillis(random.nextInt(300, 2500)),
        Duration.ofMillis(random.nextInt(200, 1500)),
        Duration.ofSeconds(random.nextInt(8, 30)),
        turns);
  }
}
