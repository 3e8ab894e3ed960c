package dev.skep.scheduler;

import dev.skep.runtime.host.Launch;

/** The scheduler in a process of its own. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Launch.control("scheduler", args, (_, _) -> new Scheduler());
  }
}
