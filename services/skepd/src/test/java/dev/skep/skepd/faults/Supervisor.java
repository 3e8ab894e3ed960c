package dev.skep.skepd.faults;

import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Starts again what ended by itself, as whoever watches processes on a host does; from {@link #begin} until it is closed. */
final class Supervisor implements AutoCloseable {
  private final Plant plant;
  private final List<Part> parts;
  private final Thread looking = Thread.ofPlatform().daemon().name("supervisor").unstarted(this::look);
  private volatile boolean over;
  private volatile Exception failure;

  Supervisor(Plant plant, List<Part> parts) {
    this.plant = plant;
    this.parts = List.copyOf(parts);
  }

  /** Returns when all were looked at once. */
  void begin() throws Exception {
    revive();
    looking.start();
  }

  private void look() {
    try {
      while (!over) {
        revive();
        LockSupport.parkNanos(20_000_000);
      }
    } catch (Exception e) {
      failure = e;
    }
  }

  private void revive() throws Exception {
    for (Part part : parts) {
      if (!plant.runs(part)) {
        part.begin();
      }
    }
  }

  @Override
  public void close() {
    over = true;
    try {
      looking.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    if (failure != null) {
      throw new AssertionError("nobody could start it again", failure);
    }
  }
}
