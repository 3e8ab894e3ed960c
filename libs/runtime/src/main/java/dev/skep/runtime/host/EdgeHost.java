package dev.skep.runtime.host;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Membership;
import dev.skep.runtime.View;
import dev.skep.state.Decider;

/** A process without a store and without an identity: the edge. */
public final class EdgeHost extends BasicHost {
  EdgeHost(HostBuilder options) {
    super(options);
  }

  private static IllegalStateException none(String what) {
    return new IllegalStateException("this process has no " + what + ": only a process with a store has one");
  }

  @Override
  public Store store() {
    throw none("store");
  }

  @Override
  public ChangeLog changeLog() {
    throw none("event log");
  }

  @Override
  public View view() {
    throw none("view");
  }

  @Override
  public Membership membership() {
    throw none("membership");
  }

  @Override
  public ControlLoop loop(String name, Decider decider) {
    throw none("control loop");
  }

  @Override
  void closeState() {}

  @Override
  void closeStore() {}
}
