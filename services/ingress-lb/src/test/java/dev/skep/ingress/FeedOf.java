package dev.skep.ingress;

import dev.skep.api.v1.PortConfig;
import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.state.FeedState;

/** Feeds for tests: an ingress network, services with ports, tasks with an address on it. */
public final class FeedOf {
  private final FeedUpdate.Builder update = FeedUpdate.newBuilder().setEpoch("e").setRevision(1).setComplete(true);

  public FeedOf() {
    update.addPut(
        FeedEntry.newBuilder().setKey("network/ing").setNetwork(NetworkEntry.newBuilder().setId("ing").setName("ingress").setIngress(true)));
  }

  public FeedOf revision(long revision) {
    update.setRevision(revision);
    return this;
  }

  public FeedOf service(String id, String protocol, int published, int target) {
    return service(id, protocol, published, target, "");
  }

  public FeedOf service(String id, String protocol, int published, int target, String proxyProtocol) {
    ServiceEntry.Builder service =
        ServiceEntry.newBuilder()
            .setId(id)
            .setName(id)
            .addPorts(PortConfig.newBuilder().setProtocol(protocol).setPublishedPort(published).setTargetPort(target).setPublishMode("ingress"));
    if (!proxyProtocol.isEmpty()) {
      service.putLabels("skep.ingress.proxy-protocol", proxyProtocol);
    }
    update.addPut(FeedEntry.newBuilder().setKey("service/" + id).setService(service));
    return this;
  }

  public FeedOf task(String service, int slot, String address) {
    return task(service, slot, address, true);
  }

  public FeedOf task(String service, int slot, String address, boolean serving) {
    String id = service + "." + slot;
    update.addPut(
        FeedEntry.newBuilder()
            .setKey("endpoint/" + id)
            .setEndpoint(
                EndpointEntry.newBuilder()
                    .setTaskId(id)
                    .setServiceId(service)
                    .setSlot(slot)
                    .setServing(serving)
                    .addAddresses(EndpointAddress.newBuilder().setNetworkId("other").setAddress("10.99.0.1"))
                    .addAddresses(EndpointAddress.newBuilder().setNetworkId("ing").setAddress(address))));
    return this;
  }

  public FeedUpdate update() {
    return update.build();
  }

  public FeedState state() {
    return ((FeedState.Outcome.Moved) FeedState.empty().apply(update.build())).state();
  }
}
