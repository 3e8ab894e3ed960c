package dev.skep.agent.core;

import dev.skep.feed.v1.EndpointAddress;
import dev.skep.feed.v1.EndpointEntry;
import dev.skep.feed.v1.FeedEntry;
import dev.skep.feed.v1.FeedUpdate;
import dev.skep.feed.v1.NetworkEntry;
import dev.skep.feed.v1.ServiceEntry;
import dev.skep.feed.v1.ServiceNetwork;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** All endpoints of the cluster as this node last heard of them. */
public record FeedState(String epoch, long revision, Map<String, FeedEntry> entries) {
  private static final Comparator<EndpointEntry> BY_SLOT =
      Comparator.comparingLong(EndpointEntry::getSlot).thenComparing(EndpointEntry::getTaskId);

  public static FeedState empty() {
    return new FeedState("", 0, Map.of());
  }

  /** Empty when the update is older than this state or a difference to another one. */
  public Optional<FeedState> apply(FeedUpdate update) {
    boolean sameEpoch = update.getEpoch().equals(epoch);
    if (sameEpoch ? update.getRevision() < revision : !update.getComplete()) {
      return Optional.empty();
    }
    Map<String, FeedEntry> next = update.getComplete() ? new TreeMap<>() : new TreeMap<>(entries);
    update.getRemoveList().forEach(next::remove);
    update.getPutList().forEach(entry -> next.put(entry.getKey(), entry));
    return Optional.of(new FeedState(update.getEpoch(), update.getRevision(), Collections.unmodifiableMap(next)));
  }

  public FeedUpdate complete() {
    return FeedUpdate.newBuilder().setEpoch(epoch).setRevision(revision).setComplete(true).addAllPut(entries.values()).build();
  }

  /** Subnets of all overlays of the cluster, also of those that are not on this node. */
  public SortedSet<String> subnets() {
    SortedSet<String> subnets = new TreeSet<>();
    for (FeedEntry entry : entries.values()) {
      NetworkEntry network = entry.getNetwork();
      if (!network.getSubnet().isEmpty()) {
        subnets.add(Ipv4Range.parse(network.getSubnet()).toString());
      }
    }
    return subnets;
  }

  /** Ports that are published on every node, as "tcp/80". */
  public SortedSet<String> published() {
    SortedSet<String> ports = new TreeSet<>();
    for (FeedEntry entry : entries.values()) {
      entry.getService().getPortsList().stream()
          .filter(port -> port.getPublishedPort() != 0 && !port.getPublishMode().equals("host"))
          .forEach(port -> ports.add((port.getProtocol().isEmpty() ? "tcp" : port.getProtocol()) + "/" + port.getPublishedPort()));
    }
    return ports;
  }

  /** Addresses of every endpoint that anybody still lists, serving or not. */
  public Set<String> addresses() {
    Set<String> addresses = new TreeSet<>();
    for (FeedEntry entry : entries.values()) {
      entry.getEndpoint().getAddressesList().forEach(address -> addresses.add(address.getAddress()));
    }
    return addresses;
  }

  /** VIP to its serving backends, in slot order, on the given networks. */
  public Map<String, Vip> vips(Set<String> networks) {
    Map<String, List<EndpointEntry>> byService = new HashMap<>();
    for (FeedEntry entry : entries.values()) {
      if (entry.getEndpoint().getServing()) {
        byService.computeIfAbsent(entry.getEndpoint().getServiceId(), _ -> new ArrayList<>()).add(entry.getEndpoint());
      }
    }
    byService.values().forEach(list -> list.sort(BY_SLOT));
    Map<String, Vip> vips = new TreeMap<>();
    for (FeedEntry entry : entries.values()) {
      ServiceEntry service = entry.getService();
      for (ServiceNetwork network : service.getNetworksList()) {
        if (!network.getVip().isEmpty() && networks.contains(network.getNetworkId())) {
          List<String> backends = backends(byService.getOrDefault(service.getId(), List.of()), network.getNetworkId());
          vips.put(network.getVip(), new Vip(network.getNetworkId(), network.getVip(), backends));
        }
      }
    }
    return vips;
  }

  private static List<String> backends(List<EndpointEntry> endpoints, String networkId) {
    return endpoints.stream()
        .flatMap(endpoint -> endpoint.getAddressesList().stream())
        .filter(address -> address.getNetworkId().equals(networkId))
        .map(EndpointAddress::getAddress)
        .toList();
  }

  /** One virtual address and the endpoints that connections to it go to in turn. */
  public record Vip(String networkId, String address, List<String> backends) {}
}
