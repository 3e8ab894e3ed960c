package dev.skep.skepd.sim;

import dev.skep.state.Decider;
import dev.skep.testkit.sim.SimStore;
import dev.skep.testkit.sim.World;

/** Plants a bug. */
final class Mutants {
  private Mutants() {}

  static void plant(Mutant mutant, World world, SimStore store) {}

  static Decider mutated(Mutant mutant, Decider decider, String loop) {
    return decider;
  }
}
