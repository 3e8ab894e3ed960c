package dev.skep.state;

/** The one service that writes a kind of row. It stands first in the key, so that store roles can grant it. */
public enum Owner {
  API("state/api/"),
  ORCHESTRATOR("state/orchestrator/"),
  ALLOCATOR("state/allocator/"),
  SCHEDULER("state/scheduler/"),
  DISPATCHER("state/dispatcher/"),
  SEALED("sealed/"),
  LOOP("leader/");

  private final String prefix;

  Owner(String prefix) {
    this.prefix = prefix;
  }

  public String prefix() {
    return prefix;
  }
}
