package dev.skep.skepd.sim;

import java.time.Duration;

/** {@code ./skep sim --seeds N [--from S]}, or {@code --seed S --trace} to look at one history. */
public final class SimMain {
  private SimMain() {}

  public static void main(String[] arguments) {
    long seeds = 1000;
    long from = 1;
    boolean trace = false;
    Mutant mutant = Mutant.NONE;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--seeds" -> seeds = Long.parseLong(arguments[++i]);
        case "--from" -> from = Long.parseLong(arguments[++i]);
        case "--seed" -> {
          from = Long.parseLong(arguments[++i]);
          seeds = 1;
        }
        case "--mutant" -> mutant = Mutant.valueOf(arguments[++i]);
        case "--trace" -> trace = true;
        default -> {
          System.err.println("usage: ./skep sim [--seeds N] [--from S] | --seed S --trace [--mutant M]");
          System.exit(2);
        }
      }
    }
    System.exit(run(from, seeds, mutant, trace) ? 0 : 1);
  }

  private static boolean run(long from, long seeds, Mutant mutant, boolean trace) {
    long began = System.nanoTime();
    long events = 0;
    Duration simulated = Duration.ZERO;
    long failed = 0;
    long hash = 0;
    for (long seed = from; seed < from + seeds; seed++) {
      Sim.Result result = Sim.run(seed, mutant, trace);
      events += result.events();
      simulated = simulated.plus(result.simulated());
      hash = hash * 31 + result.hash();
      if (trace) {
        result.trace().forEach(System.out::println);
      }
      if (result.failed()) {
        failed++;
        System.out.println(result.report());
      }
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    System.out.printf("%d seeds from %d: %d failed, %d events, %.0f simulated seconds in %.1f s (%.0f per second), hash %016x%n",
        seeds, from, failed, events, simulated.toMillis() / 1e3, seconds, simulated.toMillis() / 1e3 / seconds,
        hash);
    return failed == 0;
  }
}
