package dev.skep.runtime.host;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.View;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.state.Decider;

/** A process that keeps none of the cluster's state and decides nothing. */
public abstract sealed class StorelessHost extends BasicHost permits NodeHost, EdgeHost {
  StorelessHost(HostBuilder options) {
    super(options);
  }

  static IllegalStateException none(String what) {
    return new IllegalStateException("this process has no " + what + ": only a process with a store has one");
  }

  @Override
  public final Store store() {
    throw none("store");
  }

  @Override
  public final ChangeLog changeLog() {
    throw none("event log");
  }

  @Override
  public final View view() {
    throw none("view");
  }

  @Override
  public final NetworkDoor door() {
    throw none("network door");
  }

  @Override
  public final StoreAccess storeAccess() {
    throw none("store");
  }

  @Override
  public final String address() {
    return "";
  }

  @Override
  public final ControlLoop lead(String name, Runnable changed) {
    throw none("control loop");
  }

  @Override
  public final ControlLoop loop(String name, Decider decider) {
    throw none("control loop");
  }

  @Override
  final void closeState() {}

  @Override
  final void closeStore() {}
}
