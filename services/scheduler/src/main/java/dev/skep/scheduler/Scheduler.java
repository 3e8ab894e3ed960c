package dev.skep.scheduler;

import dev.skep.scheduler.core.SchedulerDecider;
import dev.skep.runtime.Component;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;

/** Runs the scheduler's decider in a control loop. */
public final class Scheduler implements Component {
  private ControlLoop loop;

  @Override
  public String name() {
    return "scheduler";
  }

  @Override
  public boolean followsLog() {
    return true;
  }

  @Override
  public void start(Host host) {
    loop = host.loop(name(), new SchedulerDecider());
  }

  @Override
  public void stop() {
    if (loop != null) {
      loop.close();
      loop = null;
    }
  }
}
