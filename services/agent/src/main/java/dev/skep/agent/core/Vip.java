package dev.skep.agent.core;

import dev.skep.api.v1.PortConfig;
import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.feed.v1.ServiceNetwork;
import dev.skep.state.FeedState;
import dev.skep.state.Subnet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** One virtual address, and the endpoints that connections to it go to in turn. */
public record Vip(String networkId, String address, List<String> backends) {

  /** By address, on the given networks; backends are the serving endpoints in slot order. */
  public static Map<String, Vip> of(FeedState feed, Set<String> networks) {
    Map<String, Vip> vips = new TreeMap<>();
    for (ServiceEntry service : feed.services()) {
      for (ServiceNetwork network : service.getNetworksList()) {
        if (!network.getVip().isEmpty() && networks.contains(network.getNetworkId())) {
          List<String> backends =
              feed.endpointsOf(service.getId()).stream()
                  .filter(EndpointEntry::getServing)
                  .flatMap(endpoint -> endpoint.getAddressesList().stream())
                  .filter(address -> address.getNetworkId().equals(network.getNetworkId()))
                  .map(EndpointAddress::getAddress)
                  .toList();
          vips.put(network.getVip(), new Vip(network.getNetworkId(), network.getVip(), backends));
        }
      }
    }
    return vips;
  }

  /** Addresses of every endpoint that anybody still lists, serving or not. */
  public static Set<String> endpoints(FeedState feed) {
    Set<String> addresses = new TreeSet<>();
    feed.endpoints().forEach(endpoint -> endpoint.getAddressesList().forEach(address -> addresses.add(address.getAddress())));
    return addresses;
  }

  /** Subnets of all overlays of the cluster, also of those that are not on this node. */
  public static SortedSet<String> subnets(FeedState feed) {
    SortedSet<String> subnets = new TreeSet<>();
    for (NetworkEntry network : feed.networks()) {
      if (!network.getSubnet().isEmpty()) {
        subnets.add(Subnet.parse(network.getSubnet()).toString());
      }
    }
    return subnets;
  }

  /** Ports that are published on every node, as "tcp/80". */
  public static SortedSet<String> published(FeedState feed) {
    SortedSet<String> ports = new TreeSet<>();
    for (ServiceEntry service : feed.services()) {
      for (PortConfig port : service.getPortsList()) {
        if (port.getPublishedPort() != 0 && !port.getPublishMode().equals("host")) {
          ports.add((port.getProtocol().isEmpty() ? "tcp" : port.getProtocol()) + "/" + port.getPublishedPort());
        }
      }
    }
    return ports;
  }
}
