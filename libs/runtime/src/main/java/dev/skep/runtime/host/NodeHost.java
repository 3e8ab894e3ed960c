package dev.skep.runtime.host;

import dev.skep.runtime.Membership;
import dev.skep.runtime.SessionState;
import dev.skep.runtime.identity.Trust;
import io.grpc.Channel;
import java.util.List;
import java.util.Optional;

/** A process that is a member of the cluster and keeps none of its state: the agent in a container of its own. */
public final class NodeHost extends StorelessHost {
  private final FileMembership membership;
  private final Network network;

  NodeHost(HostBuilder options) {
    super(options);
    begin();
    this.membership = new FileMembership(membershipFolder());
    this.network = new Network(this, options, membership, Optional.empty());
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
  public Channel peer(String address) {
    return network.peer(address);
  }

  @Override
  public boolean managerSilent() {
    return network.managerSilent();
  }

  @Override
  public List<String> managers() {
    return network.managers();
  }

  @Override
  public void managerChosen(String address) {
    network.managerChosen(address);
  }

  @Override
  public Channel channel(String component, String purpose) {
    return network.channel(component, purpose);
  }

  @Override
  void started() {
    network.follow();
  }

  @Override
  void closeNetwork() {
    network.close();
  }
}
