package dev.skep.runtime.host;

import dev.skep.backend.ChangeLog;
import dev.skep.backend.Store;
import dev.skep.runtime.ControlLoop;
import dev.skep.runtime.Membership;
import dev.skep.runtime.NetworkDoor;
import dev.skep.runtime.SessionState;
import dev.skep.runtime.View;
import dev.skep.runtime.identity.StoreAccess;
import dev.skep.runtime.identity.Trust;
import dev.skep.state.Decider;
import io.grpc.Channel;

/** A process without a store and without an identity: the edge. */
public final class EdgeHost extends BasicHost {
  EdgeHost(HostBuilder options) {
    super(options);
    begin();
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
  public Trust trust() {
    throw none("identity");
  }

  @Override
  public SessionState session() {
    throw none("session");
  }

  @Override
  public NetworkDoor door() {
    throw none("network door");
  }

  @Override
  public StoreAccess storeAccess() {
    throw none("store");
  }

  @Override
  public String address() {
    return "";
  }

  @Override
  public Channel peer(String address) {
    throw none("identity");
  }

  @Override
  public boolean managerSilent() {
    return false;
  }

  @Override
  public Channel channel(String component) {
    return services().channel(component);
  }

  @Override
  public Channel channel(String component, String purpose) {
    return channel(component);
  }

  @Override
  public ControlLoop lead(String name, Runnable changed) {
    throw none("control loop");
  }

  @Override
  public ControlLoop loop(String name, Decider decider) {
    throw none("control loop");
  }

  @Override
  void started() {}

  @Override
  void closeNetwork() {}

  @Override
  void closeState() {}

  @Override
  void closeStore() {}
}
