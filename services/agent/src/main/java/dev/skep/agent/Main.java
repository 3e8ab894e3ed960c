package dev.skep.agent;

import dev.skep.runtime.host.Launch;

/** The agent in a process of its own. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    Launch.node("agent", args, (settings, process) -> new AgentComponent(AgentConfig.from(settings, process.run()).withControlServices(false)));
  }
}
