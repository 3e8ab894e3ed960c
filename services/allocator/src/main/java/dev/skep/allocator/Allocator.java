package dev.skep.allocator;

import dev.skep.allocator.core.AllocatorDecider;
import dev.skep.runtime.Component;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Host;

/** Runs the allocator's decider in a control loop. */
public final class Allocator implements Component {
  private ControlLoop loop;

  @Override
  public String name() {
    return "allocator";
  }

  @Override
  public boolean followsLog() {
    return true;
  }

  @Override
  public void start(Host host) {
    loop = host.loop(name(), new AllocatorDecider());
  }

  @Override
  public void stop() {
    if (loop != null) {
      loop.close();
      loop = null;
    }
  }
}
