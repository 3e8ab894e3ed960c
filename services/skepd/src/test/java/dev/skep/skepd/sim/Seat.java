package dev.skep.skepd.sim;

import dev.skep.testkit.sim.SimProcess;

/** A dispatcher as nodes and other dispatchers find it: its address, and who lives there now. */
final class Seat {
  private final SimProcess process;
  private SimDispatcher life;

  Seat(SimProcess process) {
    this.process = process;
  }

  void lives(SimDispatcher dispatcher) {
    life = dispatcher;
  }

  SimProcess process() {
    return process;
  }

  /** Of a process that is alive, as whoever called it just found out. */
  SimDispatcher dispatcher() {
    return life;
  }
}
