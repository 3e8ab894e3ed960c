package dev.skep.dns;

import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.feed.v1.ServiceNetwork;
import dev.skep.state.FeedState;
import java.util.List;

/** Feeds for tests: networks, services and tasks in a few words. */
public final class FeedOf {
  private final FeedUpdate.Builder update = FeedUpdate.newBuilder().setEpoch("e").setRevision(1).setComplete(true);

  public static FeedEntry network(String id, String subnet, boolean ingress, boolean internal) {
    return FeedEntry.newBuilder()
        .setKey("network/" + id)
        .setNetwork(NetworkEntry.newBuilder().setId(id).setName(id).setSubnet(subnet).setIngress(ingress).setInternal(internal))
        .build();
  }

  public static FeedEntry service(String id, String resolution, ServiceNetwork... networks) {
    return FeedEntry.newBuilder()
        .setKey("service/" + id)
        .setService(ServiceEntry.newBuilder().setId(id).setName(id).setResolution(resolution).addAllNetworks(List.of(networks)))
        .build();
  }

  public static ServiceNetwork on(String network, String vip, String... aliases) {
    return ServiceNetwork.newBuilder().setNetworkId(network).setVip(vip).addAllAliases(List.of(aliases)).build();
  }

  /** {@code addresses}: pairs of network and address. */
  public static FeedEntry task(String service, int slot, boolean serving, List<String> servers, String... addresses) {
    String id = service + "-" + slot;
    EndpointEntry.Builder endpoint =
        EndpointEntry.newBuilder()
            .setTaskId(id)
            .setServiceId(service)
            .setSlot(slot)
            .setName(service + "." + slot + ".abc")
            .setServing(serving)
            .addAllDnsServers(servers);
    for (int n = 0; n < addresses.length; n += 2) {
      endpoint.addAddresses(EndpointAddress.newBuilder().setNetworkId(addresses[n]).setAddress(addresses[n + 1]));
    }
    return FeedEntry.newBuilder().setKey("endpoint/" + id).setEndpoint(endpoint).build();
  }

  public FeedOf with(FeedEntry entry) {
    update.addPut(entry);
    return this;
  }

  public FeedState state() {
    return ((FeedState.Outcome.Moved) FeedState.empty().apply(update.build())).state();
  }
}
