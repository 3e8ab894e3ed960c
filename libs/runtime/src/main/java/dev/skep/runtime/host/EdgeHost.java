package dev.skep.runtime.host;

import dev.skep.runtime.Membership;
import dev.skep.runtime.SessionState;
import dev.skep.runtime.identity.Trust;
import io.grpc.Channel;
import java.util.List;

/** A process without a store and without an identity: the edge. */
public final class EdgeHost extends StorelessHost {
  EdgeHost(HostBuilder options) {
    super(options);
    begin();
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
  public Channel peer(String address) {
    throw none("identity");
  }

  @Override
  public boolean managerSilent() {
    return false;
  }

  @Override
  public List<String> managers() {
    return List.of();
  }

  @Override
  public void managerChosen(String address) {
    throw none("identity");
  }

  @Override
  public Channel channel(String component, String purpose) {
    return services().channel(component);
  }

  @Override
  void started() {}

  @Override
  void closeNetwork() {}
}
