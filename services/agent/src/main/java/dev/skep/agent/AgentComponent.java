package dev.skep.agent;

import dev.skep.agent.shell.AgentLife;
import dev.skep.runtime.Component;
import dev.skep.runtime.Host;

/** The agent of a node. Idle until the host has an identity; stopping it stops nothing that runs on the node. */
public final class AgentComponent implements Component {
  private final AgentConfig config;
  private AgentLife life;

  public AgentComponent(AgentConfig config) {
    this.config = config;
  }

  @Override
  public String name() {
    return "agent";
  }

  @Override
  public void start(Host host) throws Exception {
    life = new AgentLife(host, config);
  }

  @Override
  public void stop() throws Exception {
    if (life != null) {
      life.close();
      life = null;
    }
  }
}
