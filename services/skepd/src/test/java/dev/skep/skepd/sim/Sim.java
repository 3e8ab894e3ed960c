package dev.skep.skepd.sim;

import dev.skep.testkit.sim.World;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** One history: a seed's cluster, its bad day, and the rest after it. */
final class Sim {
  private static final Duration LONGEST_REST = Duration.ofSeconds(150);
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final int SETTLING = 4;
  private static final int SHOWN = 120;

  /** How it went. {@code failure} is empty when everything held. */
  record Result(long seed, long hash, long events, Duration simulated, String failure, List<String> trace) {
    boolean failed() {
      return !failure.isEmpty();
    }

    String report() {
      return "seed " + seed + ": " + failure + "\n  the last " + trace.size() + " steps:\n    " + String.join("\n    ", trace)
          + "\n  again: ./skep sim --seed " + seed + " --trace";
    }
  }

  private Sim() {}

  static Result run(long seed) {
    return run(seed, Mutant.NONE, false);
  }

  static Result run(long seed, Mutant mutant, boolean wholeTrace) {
    Scenario scenario = Scenario.of(seed);
    World world = new World(seed, wholeTrace);
    String failure = "";
    try {
      play(scenario, world, mutant);
    } catch (AssertionError | RuntimeException e) {
      failure = e instanceof RuntimeException ? trouble(e) : e.getMessage();
    }
    int shown = wholeTrace ? Integer.MAX_VALUE : SHOWN;
    List<String> lines = failure.isEmpty() && !wholeTrace ? List.of() : world.trace().lines(shown);
    return new Result(seed, world.trace().hash(), world.events(), world.elapsed(), failure, lines);
  }

  private static String trouble(Throwable e) {
    StringBuilder text = new StringBuilder(e.toString());
    for (StackTraceElement frame : e.getStackTrace()) {
      if (frame.getClassName().startsWith("dev.skep")) {
        text.append("\n    at ").append(frame);
      }
    }
    return text.toString();
  }

  private static void play(Scenario scenario, World world, Mutant mutant) {
    SimCluster cluster = new SimCluster(world, scenario, mutant);
    Users users = new Users(cluster);
    Operators operators = new Operators(cluster);
    Chaos chaos = new Chaos(cluster, scenario, users, operators);
    world.runUntil(scenario.faultTime());
    chaos.stop();
    if (scenario.has(Scenario.Turn.MANAGER_AWAY)) {
      new Absence(cluster).pass();
    }
    for (int i = 0; i < SETTLING; i++) { // again, because control-api's view may still be old, and commits may still be on their way
      world.runUntil(world.elapsed().plusSeconds(2));
      operators.settle();
      users.settle();
    }
    Rest rest = new Rest(cluster);
    Duration end = world.elapsed().plus(LONGEST_REST);
    Optional<String> problem = Optional.of("not looked yet");
    while (problem.isPresent() && world.elapsed().compareTo(end) < 0) {
      world.runUntil(world.elapsed().plus(LOOK));
      problem = rest.problem();
    }
    if (problem.isPresent()) {
      throw new AssertionError("no rest after " + LONGEST_REST.toSeconds() + " s without faults: " + problem.get() + cluster.standing());
    }
  }
}
