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
import java.util.Optional;

/** A process that is a member of the cluster and keeps none of its state: the agent in a container of its own. */
public final class NodeHost extends BasicHost {
  private final FileMembership membership;
  private final Network network;

  NodeHost(HostBuilder options) {
    super(options);
    begin();
    this.membership = new FileMembership(membershipFolder());
    this.network = new Network(this, options, membership, Optional.empty());
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
    return membership;
  }

  @Override
  public Trust trust() {
    return network.trust();
  }

  @Override
  public SessionState session() {
    return network.session();
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
    return network.peer(address);
  }

  @Override
  public boolean managerSilent() {
    return network.managerSilent();
  }

  @Override
  public Channel channel(String component) {
    return channel(component, Network.EVERYTHING);
  }

  @Override
  public Channel channel(String component, String purpose) {
    return network.channel(component, purpose);
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
  void started() {
    network.follow();
  }

  @Override
  void closeNetwork() {
    network.close();
  }

  @Override
  void closeState() {}

  @Override
  void closeStore() {}
}
