package dev.skep.orchestrator;

import dev.skep.orchestrator.core.OrchestratorDecider;
import dev.skep.runtime.Component;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;

/** Runs the orchestrator's decider in a control loop. */
public final class Orchestrator implements Component {
  private ControlLoop loop;

  @Override
  public String name() {
    return "orchestrator";
  }

  @Override
  public boolean followsLog() {
    return true;
  }

  @Override
  public void start(Host host) {
    loop = host.loop(name(), new OrchestratorDecider());
  }

  @Override
  public void stop() {
    if (loop != null) {
      loop.close();
      loop = null;
    }
  }
}
