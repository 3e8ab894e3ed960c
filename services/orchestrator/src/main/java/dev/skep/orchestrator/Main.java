package dev.skep.orchestrator;

import dev.skep.runtime.host.Launch;

/** The orchestrator in a process of its own. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Launch.control("orchestrator", args, (_, _) -> new Orchestrator());
  }
}
